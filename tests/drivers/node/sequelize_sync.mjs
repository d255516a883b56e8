// Sequelize: sync, sync({ alter: true }) before and after a change, models with associations.
import assert from 'node:assert/strict';
import { DataTypes, Op, Sequelize, fn, col } from 'sequelize';

function open(later) {
  const sequelize = new Sequelize(process.env.DSN, { logging: false, dialect: 'postgres' });
  const Person = sequelize.define('Person', {
    name: { type: later ? DataTypes.TEXT : DataTypes.STRING(50), allowNull: false },
    email: { type: DataTypes.STRING, unique: 'one_email' },
    balance: { type: DataTypes.DECIMAL(later ? 12 : 10, 2), defaultValue: 0, comment: 'in euros' },
    born: DataTypes.DATEONLY,
    settings: { type: DataTypes.JSONB, defaultValue: {} },
    tags: { type: DataTypes.ARRAY(DataTypes.TEXT), defaultValue: [] },
    during: DataTypes.RANGE(DataTypes.DATE),
    key: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
    photo: DataTypes.BLOB,
    score: later ? { type: DataTypes.DOUBLE, defaultValue: 1 } : DataTypes.INTEGER,
    ...(later ? { address: DataTypes.INET, extra: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: true } } : {}),
  }, { paranoid: true, indexes: [{ fields: ['name'] }, { fields: ['settings'], using: 'gin' }, { fields: [fn('lower', col('email'))], name: 'person_lower', unique: true }] });
  const Task = sequelize.define('Task', { title: DataTypes.STRING, done: { type: DataTypes.BOOLEAN, defaultValue: false } }, { underscored: true });
  Person.hasMany(Task, { foreignKey: { name: 'personId', allowNull: true }, onDelete: 'CASCADE' });
  Task.belongsTo(Person, { foreignKey: 'personId' });
  Person.belongsToMany(Task, { through: 'Watching', as: 'watched' });
  return { sequelize, Person, Task };
}

let { sequelize, Person, Task } = open(false);
await sequelize.authenticate();
await sequelize.sync();
await sequelize.sync();
const ann = await Person.create({ name: 'Ann', email: 'Ann@x.org', balance: '9.90', born: '1980-02-29', settings: { a: { b: 1 } }, tags: ['x'], score: 7 });
await Task.bulkCreate([{ title: 'one', personId: ann.id }, { title: 'two', personId: ann.id, done: true }]);
await sequelize.close();

({ sequelize, Person, Task } = open(true));
await sequelize.sync({ alter: true });
await sequelize.sync({ alter: true });
const people = await Person.findAll({ include: [{ model: Task, where: { done: false } }], where: { settings: { a: { b: 1 } }, tags: { [Op.contains]: ['x'] } } });
assert.deepEqual(people.map((each) => [each.name, each.balance, each.score, each.extra, each.Tasks.length]), [['Ann', '9.90', 7, true, 1]]);
const bob = await Person.create({ email: 'b@x.org', name: 'Bob' });
await Person.upsert({ id: bob.id, name: 'Rob', email: 'b@x.org' });
assert.equal((await bob.reload()).name, 'Rob');
await bob.addWatched(await Task.findOne());
assert.equal(await bob.countWatched(), 1);
await bob.increment('balance', { by: 1.5 });
assert.equal((await bob.reload()).balance, '1.50');
const counts = await Task.findAll({ attributes: ['done', [fn('count', col('id')), 'n']], group: 'done', order: ['done'], raw: true });
assert.deepEqual(counts, [{ done: false, n: '1' }, { done: true, n: '1' }]);
await assert.rejects(sequelize.transaction(async (transaction) => {
  await Person.create({ name: 'Zoe', email: 'ANN@X.org' }, { transaction });
}), { name: 'SequelizeUniqueConstraintError' });
await bob.destroy();
assert.equal(await Person.count(), 1);
const described = await sequelize.getQueryInterface().describeTable('People');
const indexes = (await sequelize.getQueryInterface().showIndex('People')).map(({ name, unique, fields }) => ({ name, unique, fields: fields.map((field) => field.attribute) }));
await sequelize.close();
console.log(JSON.stringify({ described, indexes: indexes.sort((a, b) => a.name.localeCompare(b.name)) }));

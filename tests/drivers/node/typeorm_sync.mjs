// TypeORM: synchronize makes the tables and then finds nothing to do, follows a change, and reads and writes through repositories.
import assert from 'node:assert/strict';
import { DataSource, EntitySchema } from 'typeorm';

const Author = new EntitySchema({
  name: 'Author',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    name: { type: 'varchar', length: 50, unique: true },
    born: { type: 'date', nullable: true },
    meta: { type: 'jsonb', default: {} },
    created: { type: 'timestamptz', createDate: true },
  },
  relations: { books: { type: 'one-to-many', target: 'Book', inverseSide: 'author' } },
});

const columns = (later) => ({
  id: { type: 'uuid', primary: true, generated: 'uuid' },
  title: { type: 'varchar', length: 100 },
  price: { type: 'numeric', precision: later ? 12 : 10, scale: 2, default: 0 },
  state: { type: 'enum', enum: later ? ['draft', 'done', 'gone'] : ['draft', 'done'], default: 'draft' },
  words: { type: 'text', array: true, default: [] },
  pages: { type: 'int', nullable: later, default: later ? null : 1, comment: 'how long' },
  version: { type: 'int', version: true },
  ...(later
    ? { rating: { type: 'real', nullable: true }, span: { type: 'int4range', nullable: true }, deleted: { type: 'timestamp', deleteDate: true } }
    : { old: { type: 'boolean', default: true }, data: { type: 'bytea', nullable: true }, at: { type: 'time', precision: 3, nullable: true } }),
});

const book = (later) => new EntitySchema({
  name: 'Book',
  columns: columns(later),
  relations: {
    author: { type: 'many-to-one', target: 'Author', inverseSide: 'books', onDelete: later ? 'SET NULL' : 'CASCADE', joinColumn: true },
    tags: { type: 'many-to-many', target: 'Tag', joinTable: true },
  },
  indices: [{ name: 'book_title', columns: ['title'], unique: later }, { name: 'book_state', columns: ['state', 'pages'], where: 'pages > 0' }],
  checks: [{ name: 'book_price', expression: later ? 'price > -1' : 'price >= 0' }],
  uniques: later ? [{ name: 'book_once', columns: ['title', 'price'] }] : [],
});

const Tag = new EntitySchema({ name: 'Tag', columns: { id: { type: 'bigint', primary: true, generated: 'identity' }, name: { type: 'text' } } });

async function open(later) {
  return new DataSource({ type: 'postgres', url: process.env.DSN, uuidExtension: 'pgcrypto', installExtensions: false, entities: [Author, book(later), Tag] }).initialize();
}

async function synchronize(source) {
  const planned = (await source.driver.createSchemaBuilder().log()).upQueries.length;
  await source.synchronize();
  const left = (await source.driver.createSchemaBuilder().log()).upQueries.map((query) => query.query);
  assert.deepEqual(left, []);
  return planned;
}

let source = await open(false);
const first = await synchronize(source);
const tag = await source.getRepository('Tag').save({ name: 'new' });
const author = await source.getRepository('Author').save({ name: 'Ann', born: '1980-02-29', meta: { a: [1] } });
await source.getRepository('Book').save([
  { title: 'First', price: '9.90', author, tags: [tag], words: ['a', 'b,c'] },
  { title: 'Second', author, tags: [], state: 'done' },
]);
await source.destroy();

source = await open(true);
const second = await synchronize(source);
const repository = source.getRepository('Book');
const found = await repository.find({ relations: { author: true, tags: true }, order: { title: 'ASC' } });
assert.deepEqual(found.map((each) => [each.title, each.price, each.author.name, each.tags.length]), [['First', '9.90', 'Ann', 1], ['Second', '0.00', 'Ann', 0]]);
await repository.update({ title: 'Second' }, { state: 'gone', span: '[1,5)' });
await repository.softRemove(found[0]);
assert.equal(await repository.count(), 1);
assert.equal(await repository.count({ withDeleted: true }), 2);
const totals = await source.createQueryBuilder('Author', 'a').leftJoin('a.books', 'b').select('a.name', 'name').addSelect('count(b.id)', 'n').groupBy('a.name').getRawMany();
assert.deepEqual(totals, [{ name: 'Ann', n: '1' }]);
await source.transaction(async (manager) => {
  const locked = await manager.getRepository('Book').findOne({ where: { title: 'Second' }, lock: { mode: 'pessimistic_write' } });
  locked.pages = 5;
  await manager.getRepository('Book').save(locked);
});
await repository.upsert({ title: 'Second', pages: 6 }, ['title']);
assert.equal((await repository.findOneBy({ title: 'Second' })).pages, 6);
await assert.rejects(source.getRepository('Author').insert({ name: 'Ann' }), (error) => error.driverError.code === '23505');
await source.destroy();
console.log(JSON.stringify({ first, second }));

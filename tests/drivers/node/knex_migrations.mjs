// Knex: migrations with its schema builder, their lock and their rollback; column information; queries. Kysely reads the result.
import assert from 'node:assert/strict';
import knexModule from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

const steps = {
  '1_first': {
    async up(knex) {
      await knex.schema.createTable('people', (t) => {
        t.increments();
        t.string('name', 60).notNullable().unique().comment('spoken');
        t.enu('mood', ['sad', 'ok'], { useNative: true, enumName: 'mood' });
        t.enu('size', ['s', 'm']).defaultTo('m');
        t.decimal('balance', 10, 2).defaultTo(0);
        t.json('facts'); t.jsonb('more').defaultTo('{}');
        t.timestamps(true, true);
        t.specificType('tags', 'text[]');
        t.binary('photo'); t.uuid('key').defaultTo(knex.fn.uuid());
        t.text('old');
        t.index(['name', 'balance'], 'people_pair');
        t.comment('all of them');
      });
      await knex.schema.createTable('tasks', (t) => {
        t.bigIncrements('id');
        t.integer('person_id').unsigned().references('id').inTable('people').onDelete('CASCADE').index();
        t.string('title'); t.date('due'); t.time('at'); t.datetime('seen', { useTz: false, precision: 3 }); t.float('share'); t.tinyint('rank');
        t.check('?? >= 0', ['rank'], 'rank_positive');
        t.unique(['person_id', 'title'], { indexName: 'one_title', deferrable: 'deferred' });
      });
    },
    async down(knex) { await knex.schema.dropTable('tasks').dropTable('people').raw('DROP TYPE mood'); },
  },
  '2_rows': {
    async up(knex) {
      const [{ id }] = await knex('people').insert({ name: 'Ann', balance: '9.90', facts: { a: 1 }, tags: ['x', 'y,z'] }).returning('id');
      await knex.batchInsert('tasks', [1, 2, 3].map((n) => ({ person_id: id, title: `t${n}`, rank: n })));
    },
    async down(knex) { await knex('people').del(); },
  },
  '3_change': {
    async up(knex) {
      await knex.schema.alterTable('people', (t) => {
        t.string('name', 80).notNullable().alter();
        t.renameColumn('balance', 'money');
        t.dropColumn('old');
        t.dropIndex(['name', 'balance'], 'people_pair');
        t.setNullable('created_at');
        t.integer('level').notNullable().defaultTo(1).checkBetween([0, 9], 'level_range');
        t.index(knex.raw('lower(name)'), 'people_lower', { predicate: knex.whereNotNull('name') });
      });
      await knex.schema.renameTable('tasks', 'jobs');
      await knex.schema.alterTable('jobs', (t) => { t.dropForeign('person_id', 'tasks_person_id_foreign'); t.foreign('person_id').references('people.id').deferrable('immediate'); t.dropChecks('rank_positive'); });
      await knex.schema.createView('rich', (v) => { v.columns(['name']); v.as(knex('people').select('name').where('money', '>', 5)); });
      await knex.schema.createSchemaIfNotExists('apart');
      await knex.schema.withSchema('apart').createTable('notes', (t) => { t.specificType('id', 'int GENERATED ALWAYS AS IDENTITY').primary(); });
    },
    async down(knex) {
      await knex.schema.alterTable('jobs', (t) => { t.check('rank >= 0', undefined, 'rank_positive'); t.dropForeign('person_id'); t.foreign('person_id', 'tasks_person_id_foreign').references('people.id').onDelete('CASCADE'); });
      await knex.schema.dropView('rich').dropSchema('apart', true).renameTable('jobs', 'tasks');
      await knex.schema.alterTable('people', (t) => { t.renameColumn('money', 'balance'); t.text('old'); t.dropIndex([], 'people_lower'); t.dropColumn('level'); t.index(['name', 'balance'], 'people_pair'); });
    },
  },
};
const migrationSource = { getMigrations: async () => Object.keys(steps), getMigrationName: (name) => name, getMigration: async (name) => steps[name] };
const knex = knexModule({ client: 'pg', connection: process.env.DSN, migrations: { migrationSource } });

const [batch, done] = await knex.migrate.latest();
assert.deepEqual([batch, done.length, (await knex.migrate.latest())[1].length], [1, 3, 0]);
await knex.migrate.down();
assert.equal(await knex.schema.hasTable('tasks'), true);
await knex.migrate.up();
await knex.migrate.rollback(undefined, true);
assert.equal(await knex.schema.hasTable('people'), false);
await knex.migrate.latest();
assert.equal(await knex.schema.hasColumn('people', 'level'), true);
const info = await knex('people').columnInfo();
const rows = await knex('people').join('jobs', 'people.id', 'jobs.person_id').select('name').count({ n: '*' }).groupBy('name');
assert.deepEqual(rows, [{ name: 'Ann', n: '3' }]);
await knex('people').insert({ name: 'Ann', money: 1 }).onConflict('name').merge(['money']);
assert.deepEqual(await knex('people').where('name', 'Ann').pluck('money'), ['1.00']);
await assert.rejects(knex.transaction(async (trx) => { await trx('people').insert({ name: 'Eve' }); throw new Error('no'); }), /no/);
const taken = await knex.transaction((trx) => trx('jobs').forUpdate().skipLocked().orderBy('id').limit(2).pluck('title'));
assert.deepEqual(taken, ['t1', 't2']);
await knex.destroy();

const kysely = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DSN }) }) });
const tables = await kysely.introspection.getTables({ withInternalKyselyTables: true });
const schemas = (await kysely.introspection.getSchemas()).map((schema) => schema.name).filter((name) => !name.startsWith('pg_t')).sort();
await kysely.destroy();
console.log(JSON.stringify({ info, tables, schemas }));

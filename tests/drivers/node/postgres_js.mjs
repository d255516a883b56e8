// postgres.js: tagged templates, helpers, types, transactions, cursors, COPY, LISTEN, pipelining.
import assert from 'node:assert/strict';
import postgres from 'postgres';

const sql = postgres(process.env.DSN, { max: 5, onnotice: () => {} });
await sql`CREATE TABLE item (id int PRIMARY KEY, name text, tags text[], doc jsonb, at timestamptz, price numeric(8,2))`;
await sql`CREATE TABLE IF NOT EXISTS item (id int)`;

const at = new Date('2024-02-29T12:34:56.789Z');
const [one] = await sql`INSERT INTO item ${sql({ id: 1, name: 'one', tags: ['a', 'b c'], doc: sql.json({ x: 1 }), at, price: 1.5 })} RETURNING *`;
assert.deepEqual({ ...one }, { id: 1, name: 'one', tags: ['a', 'b c'], doc: { x: 1 }, at, price: '1.50' });
await sql`INSERT INTO item ${sql([{ id: 2, name: 'two' }, { id: 3, name: null }], 'id', 'name')}`;
await sql`UPDATE item SET ${sql({ name: 'second' }, 'name')} WHERE id = ${2}`;
assert.deepEqual((await sql`SELECT name FROM item WHERE id IN ${sql([1, 2])} ORDER BY id`).map((row) => row.name), ['one', 'second']);
assert.deepEqual((await sql`SELECT id FROM item WHERE id = ANY(${[1, 3]}) ORDER BY id`).map((row) => row.id), [1, 3]);
assert.equal((await sql`SELECT ${sql('name')} FROM ${sql('item')} WHERE name = ${'one'}`).count, 1);
assert.deepEqual((await sql`SELECT 1 AS a, ${null}::text AS b`.values())[0], [1, null]);

const described = await sql`SELECT id, name FROM item WHERE id = ${1}`.describe();
assert.deepEqual([described.types, described.columns.map((column) => column.type)], [[23], [23, 25]]);

await assert.rejects(sql`SELECT * FROM nope`, { code: '42P01' });
await assert.rejects(sql`INSERT INTO item ${sql({ id: 1 })}`, { code: '23505', constraint_name: 'item_pkey' });
await assert.rejects(sql.begin(async (tx) => {
  await tx`INSERT INTO item ${tx({ id: 9 })}`;
  throw new Error('undo');
}), /undo/);
const result = await sql.begin('isolation level repeatable read', async (tx) => {
  await tx`INSERT INTO item ${tx({ id: 4 })}`;
  await tx.savepoint(async (sp) => { await sp`INSERT INTO item ${sp({ id: 5 })}`; throw new Error('inner'); }).catch(() => {});
  return tx`SELECT count(*)::int AS n FROM item`;
});
assert.equal(result[0].n, 4);

await sql`INSERT INTO item SELECT g FROM generate_series(100, 1099) g`;
let seen = 0;
for await (const rows of sql`SELECT id FROM item WHERE id >= 100 ORDER BY id`.cursor(150)) seen += rows.length;
assert.equal(seen, 1000);

const many = await Promise.all(Array.from({ length: 200 }, (_, i) => sql`SELECT ${i}::int AS n`));
assert.equal(many.reduce((sum, [row]) => sum + row.n, 0), 19900);

const writable = await sql`COPY item (id, name) FROM STDIN`.writable();
await new Promise((resolve, reject) => { writable.on('error', reject); writable.on('finish', resolve); writable.end('2000\tcopied\n2001\t\\N\n'); });
const chunks = [];
for await (const chunk of await sql`COPY (SELECT id, name FROM item WHERE id >= 2000 ORDER BY id) TO STDOUT`.readable()) chunks.push(chunk);
assert.equal(Buffer.concat(chunks).toString(), '2000\tcopied\n2001\t\\N\n');

const heard = new Promise((resolve) => sql.listen('news', resolve).then(() => sql.notify('news', 'hello')));
assert.equal(await heard, 'hello');

assert.equal((await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b'))[1][0].b, 2);
const [{ count }] = await sql`SELECT count(*)::int FROM item`;
await sql.end();
console.log(JSON.stringify({ count }));

// node-postgres: pool, parameters, types, named statements, errors, transactions, notifications.
import assert from 'node:assert/strict';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DSN, max: 4 });
await pool.query(`CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, n int8, price numeric(8,2), ok bool,
                  at timestamptz, doc jsonb, tags text[], nums int[], raw bytea)`);

const at = new Date('2024-02-29T12:34:56.789Z');
const inserted = await pool.query(
  'INSERT INTO item (name, n, price, ok, at, doc, tags, nums, raw) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *',
  ['one', '9007199254740993', 12.5, true, at, { a: [1, null] }, ['x', 'y,z', 'q"'], [1, 2], Buffer.from([0, 255])],
);
assert.equal(inserted.command, 'INSERT');
assert.equal(inserted.rowCount, 1);
const row = inserted.rows[0];
assert.equal(row.id, 1);
assert.equal(row.n, '9007199254740993');
assert.equal(row.price, '12.50');
assert.equal(row.ok, true);
assert.equal(row.at.getTime(), at.getTime());
assert.deepEqual(row.doc, { a: [1, null] });
assert.deepEqual(row.tags, ['x', 'y,z', 'q"']);
assert.deepEqual(row.nums, [1, 2]);
assert.deepEqual([...row.raw], [0, 255]);

const named = { name: 'by-name', text: 'SELECT id, name FROM item WHERE name = $1' };
for (const name of ['one', 'two', 'one']) {
  const found = await pool.query({ ...named, values: [name] });
  assert.equal(found.rowCount, name === 'one' ? 1 : 0);
  assert.deepEqual(found.fields.map((field) => [field.name, field.dataTypeID]), [['id', 23], ['name', 25]]);
}
assert.deepEqual((await pool.query({ text: 'SELECT 1 AS a, $1::text AS b', values: ['x'], rowMode: 'array' })).rows, [[1, 'x']]);
assert.deepEqual((await pool.query('SELECT id FROM item WHERE id = ANY($1)', [[1, 2, 3]])).rows, [{ id: 1 }]);

await assert.rejects(pool.query("INSERT INTO item (name) VALUES ('one')"), {
  code: '23505', constraint: 'item_name_key', table: 'item', detail: 'Key (name)=(one) already exists.',
});
await assert.rejects(pool.query('SELECT nope FROM item'), { code: '42703', position: '8' });
await assert.rejects(pool.query('SELECT $1::int', ['x']), { code: '22P02' });

const client = await pool.connect();
try {
  await client.query('BEGIN');
  await client.query('INSERT INTO item (name) VALUES ($1)', ['two']);
  await client.query('SAVEPOINT s');
  await assert.rejects(client.query('SELECT 1 / 0'), { code: '22012' });
  await assert.rejects(client.query('SELECT 1'), { code: '25P02' });
  await client.query('ROLLBACK TO s');
  await client.query('COMMIT');
  const several = await client.query('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepEqual(several.map((result) => result.rows[0]), [{ a: 1 }, { b: 2 }]);

  const heard = new Promise((resolve) => client.once('notification', resolve));
  await client.query('LISTEN news');
  await pool.query("SELECT pg_notify('news', 'hello')");
  const { channel, payload } = await heard;
  assert.deepEqual([channel, payload], ['news', 'hello']);
} finally {
  client.release();
}

await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('INSERT INTO item (name) VALUES ($1)', [`p${i}`])));
const { rows } = await pool.query('SELECT count(*) AS n FROM item');
await pool.end();
console.log(JSON.stringify({ count: rows[0].n }));

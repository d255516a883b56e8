// drizzle-orm on node-postgres: the generated migrations, CRUD, relational queries, upsert, transactions.
import assert from 'node:assert/strict';
import { and, count, desc, eq, ilike, inArray, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import * as schema from './drizzle/schema.mjs';

const pool = new pg.Pool({ connectionString: process.env.DSN });
const db = drizzle(pool, { schema });
const { users, posts, likes } = schema;

await migrate(db, { migrationsFolder: 'drizzle/migrations' });
await migrate(db, { migrationsFolder: 'drizzle/migrations' });

const [ann, bob] = await db.insert(users).values([
  { email: 'ann@example.org', role: 'admin', settings: { theme: 'dark' } }, { email: 'bob@example.org' },
]).returning();
assert.match(ann.key, /^[0-9a-f-]{36}$/);
assert.deepEqual([ann.role, bob.role, ann.settings, bob.settings], ['admin', 'member', { theme: 'dark' }, {}]);
assert.ok(ann.createdAt instanceof Date);

const made = await db.insert(posts).values([
  { authorId: ann.id, title: 'First', price: '9.90', tags: ['a', 'b'] },
  { authorId: ann.id, title: 'Second' },
  { authorId: bob.id, title: 'Third', price: '1.00' },
]).returning({ id: posts.id, tags: posts.tags });
assert.deepEqual(made.map((post) => post.tags), [['a', 'b'], [], []]);
await db.insert(likes).values([{ userId: bob.id, postId: made[0].id }, { userId: ann.id, postId: made[2].id }]);

const nested = await db.query.users.findMany({
  with: { posts: { with: { likes: true }, orderBy: desc(posts.id) } },
  orderBy: users.id,
});
assert.deepEqual(nested.map((user) => user.posts.map((post) => [post.title, post.likes.length])), [[['Second', 0], ['First', 1]], [['Third', 1]]]);
const one = await db.query.posts.findFirst({ where: eq(posts.title, 'Third'), with: { author: { columns: { email: true } } } });
assert.equal(one.author.email, 'bob@example.org');

const joined = await db.select({ email: users.email, n: count(posts.id) }).from(users)
  .leftJoin(posts, eq(posts.authorId, users.id)).groupBy(users.id).orderBy(desc(count(posts.id)));
assert.deepEqual(joined, [{ email: 'ann@example.org', n: 2 }, { email: 'bob@example.org', n: 1 }]);
assert.equal((await db.select().from(posts).where(and(ilike(posts.title, 'f%'), inArray(posts.id, made.map((post) => post.id))))).length, 1);

const [upserted] = await db.insert(users).values({ email: 'bob@example.org' })
  .onConflictDoUpdate({ target: users.email, set: { active: false } }).returning();
assert.deepEqual([upserted.id, upserted.active], [bob.id, false]);
await db.update(posts).set({ price: sql`${posts.price} * 2` }).where(eq(posts.id, made[0].id));
assert.equal((await db.select({ price: posts.price }).from(posts).where(eq(posts.id, made[0].id)))[0].price, '19.80');

await assert.rejects(db.insert(posts).values({ authorId: ann.id, title: 'bad', price: '-1' }), (error) => error.cause.code === '23514' && error.cause.constraint === 'positive');
await assert.rejects(db.transaction(async (tx) => {
  await tx.delete(users).where(eq(users.id, ann.id));
}), (error) => error.cause.code === '23503');
await db.transaction(async (tx) => {
  await tx.insert(users).values({ email: 'cid@example.org' });
  await tx.transaction(async (inner) => { await inner.delete(likes); inner.rollback(); }).catch(() => {});
});
assert.equal(await db.$count(likes), 2);
const prepared = db.select({ id: users.id }).from(users).where(eq(users.email, sql.placeholder('email'))).prepare('by_email');
assert.equal((await prepared.execute({ email: 'cid@example.org' })).length, 1);
await db.delete(posts).where(eq(posts.authorId, bob.id));
const left = await db.$count(posts);
await pool.end();
console.log(JSON.stringify({ posts: left }));

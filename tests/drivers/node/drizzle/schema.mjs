// A schema with what applications use; drizzle-kit generated drizzle/migrations from it.
import { relations, sql } from 'drizzle-orm';
import {
  boolean, check, index, integer, jsonb, numeric, pgEnum, pgTable, primaryKey, serial, text, timestamp, uniqueIndex, uuid, varchar,
} from 'drizzle-orm/pg-core';

export const role = pgEnum('role', ['admin', 'member']);

export const users = pgTable('users', {
  id: serial().primaryKey(),
  key: uuid().defaultRandom().notNull(),
  email: varchar({ length: 100 }).notNull().unique(),
  role: role().default('member').notNull(),
  active: boolean().default(true).notNull(),
  settings: jsonb().default({}).notNull(),
  createdAt: timestamp({ withTimezone: true }).defaultNow().notNull(),
}, (table) => [uniqueIndex('users_key').on(table.key)]);

export const posts = pgTable('posts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: text().notNull(),
  price: numeric({ precision: 10, scale: 2 }),
  tags: text().array().default(sql`'{}'::text[]`).notNull(),
}, (table) => [index('posts_author').on(table.authorId, table.title.desc()), check('positive', sql`${table.price} > 0`)]);

export const likes = pgTable('likes', {
  userId: integer().notNull().references(() => users.id),
  postId: integer().notNull().references(() => posts.id, { onDelete: 'cascade' }),
}, (table) => [primaryKey({ columns: [table.userId, table.postId] })]);

export const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
export const postsRelations = relations(posts, ({ one, many }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
  likes: many(likes),
}));
export const likesRelations = relations(likes, ({ one }) => ({
  post: one(posts, { fields: [likes.postId], references: [posts.id] }),
}));

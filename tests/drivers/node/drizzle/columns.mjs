// A column of every type that drizzle-orm has for PostgreSQL itself, with its options. Left out is what drizzle-kit pushes to
// PostgreSQL again and again: composite primary keys, unique constraints of two columns, char
// and numeric(p), negative numbers and arrays as defaults.
import { sql } from 'drizzle-orm';
import {
  bigint, bigserial, bit, boolean, char, check, cidr, date, doublePrecision, foreignKey, index, inet, integer, interval, json, jsonb,
  macaddr, macaddr8, numeric, pgEnum, pgSchema, pgSequence, pgTable, pgView, real, serial, smallint, smallserial, text, time,
  timestamp, unique, uniqueIndex, uuid, varchar,
} from 'drizzle-orm/pg-core';

export const mood = pgEnum('mood', ['sad', 'ok', 'very happy']);
export const other = pgSchema('other');
export const level = other.enum('level', ['low', 'high']);
export const numbers = pgSequence('numbers', { startWith: 100, increment: 5, maxValue: 10000, cycle: true, cache: 3 });

export const everything = pgTable('everything', {
  bigint: bigint({ mode: 'number' }).default(7),
  big: bigint({ mode: 'bigint' }),
  bigserial: bigserial({ mode: 'number' }).primaryKey(),
  bit: bit({ dimensions: 3 }).default('101'),
  boolean: boolean().default(false).notNull(),
  char: char({ length: 5 }).default('a'),
  cidr: cidr().default('10.0.0.0/8'),
  date: date().defaultNow(),
  dateConstant: date().default('2024-02-29'),
  double: doublePrecision().default(1.5),
  inet: inet().default('127.0.0.1'),
  integer: integer().default(1),
  identity: integer().generatedByDefaultAsIdentity({ startWith: 10, increment: 2 }),
  interval: interval().default('1 day'),
  intervalFields: interval({ fields: 'day to second', precision: 3 }),
  json: json().default({ a: [1, { b: null }] }),
  jsonb: jsonb().default([1, 'two']),
  macaddr: macaddr().default('08:00:2b:01:02:03'),
  macaddr8: macaddr8(),
  mood: mood().default('very happy'),
  numeric: numeric().default('1.10'),
  numericScale: numeric({ precision: 10, scale: 2 }).default('9.99'),
  real: real().default(0.25),
  serial: serial(),
  smallint: smallint().default(3),
  smallserial: smallserial(),
  text: text().default("it's"),
  textArray: text().array(),
  matrix: integer().array().array(),
  time: time().default('12:00:00'),
  timetz: time({ withTimezone: true, precision: 3 }),
  timestamp: timestamp().defaultNow(),
  timestamptz: timestamp({ withTimezone: true, precision: 6 }).default(sql`now() + interval '1 day'`),
  uuid: uuid().defaultRandom(),
  varchar: varchar({ length: 256 }).default(''),
  varcharAny: varchar(),
  whole: integer().generatedAlwaysAs(sql`"integer" * 2`),
}, (t) => [
  unique('one_uuid').on(t.uuid),
  check('positive', sql`${t.smallint} > 0`),
  index('by_text').on(t.text.desc().nullsLast(), t.varchar),
  index('by_json').using('gin', t.jsonb),
  uniqueIndex('lowered').on(sql`lower(${t.text})`).where(sql`${t.text} <> ''`),
]);

export const notes = other.table('notes', { id: serial().primaryKey(), level: level().default('low') });

export const children = pgTable('children', {
  id: serial().primaryKey(),
  parent: bigint({ mode: 'number' }).notNull().references(() => everything.bigserial, { onDelete: 'cascade', onUpdate: 'restrict' }),
  sibling: integer(),
}, (t) => [foreignKey({ columns: [t.sibling], foreignColumns: [t.id], name: 'child_of_child' }).onDelete('set null')]);

export const happy = pgView('happy').as((qb) => qb.select({ id: everything.bigserial, text: everything.text }).from(everything));

// A column of every type: tests push it, and generate migrations from it into $OUT.
export default {
  dialect: 'postgresql',
  schema: './drizzle/columns.mjs',
  out: process.env.OUT,
  schemaFilter: ['public', 'other'],
  dbCredentials: { url: process.env.DSN },
};

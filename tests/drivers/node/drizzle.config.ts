// `npx drizzle-kit generate` writes drizzle/migrations from drizzle/schema.mjs.
export default {
  dialect: 'postgresql',
  schema: './drizzle/schema.mjs',
  out: './drizzle/migrations',
  dbCredentials: { url: process.env.DSN },
};

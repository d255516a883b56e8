// How many tasks the database holds, as another client sees it.
import postgres from 'postgres';

const sql = postgres(process.env.DSN);
const [{ tasks }] = await sql`SELECT count(*)::int AS tasks FROM tasks WHERE id <> '__PROJECT_ROOT__'`;
await sql.end();
console.log(JSON.stringify({ tasks }));

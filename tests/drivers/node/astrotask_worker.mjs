// One of many processes: COUNT tasks, one after the other, and how many of them failed.
import { createDatabase } from '@astrotask/core';

const store = await createDatabase({ dataDir: process.env.DSN });
const errors = [];
const latencies = [];
for (let number = 0; number < Number(process.env.COUNT); number++) {
  const started = performance.now();
  try {
    await store.addTask({ title: `${process.env.WORKER}-${number}`, status: 'pending' });
    latencies.push(performance.now() - started);
  } catch (error) {
    errors.push(`${error.cause?.code ?? ''} ${error.cause?.message ?? error.message}`);
  }
}
await store.close();
console.log(JSON.stringify({ added: latencies.length, errors, latencies }));
process.exit(); // the library keeps timers

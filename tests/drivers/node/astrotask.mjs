// @astrotask/core, unmodified: migrates, then adds, lists, updates and deletes tasks and dependencies.
import assert from 'node:assert/strict';
import { createDatabase, DependencyService } from '@astrotask/core';

const store = await createDatabase({ dataDir: process.env.DSN });

const parent = await store.addTask({ title: 'Parent', status: 'pending', priorityScore: 75 });
const first = await store.addTask({ parentId: parent.id, title: 'First', description: "it's first", status: 'pending' });
const second = await store.addTask({ parentId: parent.id, title: 'Second — ünïcode', status: 'pending', prd: 'a\nb' });
assert.equal(parent.priorityScore, 75);
assert.equal(first.priorityScore, 50);
assert.ok(first.createdAt instanceof Date);
assert.ok(Math.abs(Date.now() - first.createdAt.getTime()) < 60_000);
assert.ok(first.id.startsWith(parent.id));

assert.deepEqual((await store.listSubtasks(parent.id)).map((task) => task.title).sort(), ['First', 'Second — ünïcode']);
assert.equal((await store.listTasks({ statuses: ['pending'] })).length, 3);
assert.equal((await store.listTasks({ statuses: ['done'] })).length, 0);
assert.equal((await store.getTask(second.id)).prd, 'a\nb');
assert.equal(await store.getTask('NOPE'), null);

assert.equal((await store.updateTaskStatus(first.id, 'in-progress')).status, 'in-progress');
const updated = await store.updateTask(second.id, { title: 'Renamed', priorityScore: 12.5 });
assert.equal(updated.title, 'Renamed');
assert.equal(updated.priorityScore, 12.5);

await store.addTaskDependency(second.id, first.id);
assert.deepEqual(await store.getTaskDependencies(second.id), [first.id]);
await assert.rejects(store.addTaskDependency(second.id, first.id));
const dependencies = new DependencyService(store);
assert.deepEqual(await dependencies.getDependents(first.id), [second.id]);
assert.equal((await dependencies.validateDependency(first.id, second.id)).valid, false);
assert.deepEqual((await dependencies.getExecutableTasks()).map((task) => task.id).sort(), [parent.id].sort());
assert.equal(await dependencies.removeDependency(second.id, first.id), true);
assert.deepEqual(await store.getTaskDependencies(second.id), []);
await dependencies.addDependency(second.id, first.id);

const slice = await store.addContextSlice({ title: 'Notes', description: 'text', taskId: first.id });
assert.equal((await store.listContextSlices(first.id))[0].id, slice.id);

await store.transaction(async (tx) => {
  const inside = await tx.addTask({ title: 'Inside', status: 'pending' });
  assert.equal((await tx.getTask(inside.id)).title, 'Inside');
});
await assert.rejects(
  store.transaction(async (tx) => {
    await tx.addTask({ title: 'Undone', status: 'pending' });
    throw new Error('undo');
  }),
);
const titles = (await store.listTasks()).map((task) => task.title);
assert.ok(titles.includes('Inside'));
assert.ok(!titles.includes('Undone'));

assert.equal(await store.deleteTask(second.id), true);
assert.equal(await store.deleteTask(second.id), false);
assert.deepEqual(await dependencies.getDependents(first.id), []);
await store.close();

const again = await createDatabase({ dataDir: process.env.DSN });
const tasks = await again.listTasks();
await again.close();
console.log(JSON.stringify({ titles: tasks.map((task) => task.title).sort() }));
process.exit(); // the library keeps timers

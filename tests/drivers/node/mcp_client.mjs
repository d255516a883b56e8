// The MCP SDK of npm, over Streamable HTTP: tools, errors, resources.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const client = new Client({ name: 'npm', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
const call = async (name, args = {}) => {
  const answer = await client.callTool({ name, arguments: args });
  return answer.isError ? answer : JSON.parse(answer.content[0].text);
};

const { tools } = await client.listTools();
const added = await call('addTasks', { tasks: [{ title: 'from npm' }] });
const next = await call('getNextTask');
const refused = await call('execute_sql', { sql: 'DELETE FROM tasks' });
const board = await client.readResource({ uri: 'astro://board' });
console.log(
  JSON.stringify({
    tools: tools.length,
    added: added.tasks[0].id,
    next: next.task.id,
    refused: refused.isError === true && refused.content[0].text.includes('25006'),
    board: JSON.parse(board.contents[0].text).counts.pending,
  }),
);
await client.close();

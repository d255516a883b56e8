"""The task profile: Astrotask's eight tools by the same names and arguments, and claimTask, releaseTask, searchTasks.

The names of tools and arguments are Astrotask's, so that an agent that knows its server knows this one. Answers are one JSON text, as there.
What an operation refuses comes back as an error that says what to do instead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp_types import ToolAnnotations
from pydantic import Field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from clients.mcp import task_views
from clients.mcp.changes import BOARD, TASK
from clients.mcp.database import describe
from clients.mcp.task_views import claim_json, context_json, task_json
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks import claims, contexts, dependencies, editing, listing, migrations
from clients.tasks.errors import ClaimedByAnother, ClaimLost, TaskBlocked, TaskError, TaskNotFound
from clients.tasks.model import DEFAULT_LEASE, DEFAULT_PRIORITY, ROOT, Actor, NewTask

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from clients.mcp.database import Database
    from clients.postgres.operation import Operation

T = TypeVar("T")

_NO_DATABASE = "3D000"  # invalid_catalog_name

Status = Literal["pending", "in-progress", "blocked", "done", "cancelled", "archived"]
Priority = Annotated[float, Field(ge=0, le=100)]
Index = Annotated[int, Field(ge=0)]


class TaskToAdd(TypedDict):
    """One of addTasks."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: NotRequired[Annotated[str, Field(max_length=1000)]]
    parentTaskId: NotRequired[str]
    parentIndex: NotRequired[Annotated[Index, Field(description="Parent's place in this call, from 0")]]
    dependsOn: NotRequired[Annotated[list[Index], Field(description="Places in this call of what must be done first")]]
    priorityScore: NotRequired[Priority]
    status: NotRequired[Status]
    details: NotRequired[str]


class TaskTools:
    """The tools of one server. `agent`: who acts when the client does not say."""

    def __init__(self, database: Database, agent: str | None) -> None:
        self._database = database
        self._agent = agent
        self._is_migrated = False

    def register(self, server: MCPServer) -> None:
        """Add the tools and the resources."""
        reading = ToolAnnotations(read_only_hint=True, open_world_hint=False)
        writing = ToolAnnotations(destructive_hint=False, open_world_hint=False)
        deleting = ToolAnnotations(destructive_hint=True, open_world_hint=False)
        for tool, description, hints in (
            (self.getNextTask, "The most important task that is ready to work on, with its context.", reading),
            (self.getTask, "A task with its ancestors, subtasks, dependencies and notes.", reading),
            (self.addTasks, "Create tasks, all or none; they may refer to each other by index.", writing),
            (self.listTasks, "List tasks; pending and in-progress ones unless statuses are given.", reading),
            (self.addTaskContext, "Add a note to a task.", writing),
            (self.addDependency, "Let a task wait for another.", writing),
            (self.updateStatus, "Set a task's status.", writing),
            (self.deleteTask, "Delete a task.", deleting),
            (self.claimTask, "Claim a task (the next ready one without taskId), so that no other agent works on it.", writing),
            (self.releaseTask, "Give a claim back.", writing),
            (self.searchTasks, "Find tasks by words in title, description, tags or notes.", reading),
        ):
            server.add_tool(tool, description=description, annotations=hints, structured_output=False)
        json_type = "application/json"
        server.resource(BOARD, name="board", description="Open tasks by status", mime_type=json_type)(self.board)
        server.resource(TASK, name="task", description="A task with its context", mime_type=json_type)(self.task)

    # Astrotask's tools

    async def getNextTask(
        self,
        parentTaskId: Annotated[str | None, Field(description="Only children of this task")] = None,
        status: Status | None = None,
        priorityScore: Annotated[Priority | None, Field(description="Only tasks of at least this priority")] = None,
    ) -> str:
        return await self._answer(task_views.next_task(_parent(parentTaskId), status, priorityScore or 0.0))

    async def getTask(self, taskId: str) -> str:
        return await self._answer(task_views.one_task(taskId))

    async def addTasks(self, tasks: Annotated[list[TaskToAdd], Field(min_length=1, max_length=50)], ctx: Context) -> str:
        added = await self._run(editing.add(self._actor(ctx), [_new_task(number, task) for number, task in enumerate(tasks)]))
        links = [
            {"dependentTaskId": added[number].id, "dependencyTaskId": added[index].id}
            for number, task in enumerate(tasks)
            for index in task.get("dependsOn", ())
        ]
        message = f"Successfully created {len(added)} tasks with {len(links)} dependencies"
        return _json({"tasks": [task_json(task) for task in added], "message": message, "dependenciesCreated": links})

    async def listTasks(
        self, statuses: list[Status] | None = None, parentId: str | None = None, includeProjectRoot: bool = False
    ) -> str:
        wanted = statuses or ("pending", "in-progress")
        return await self._answer(task_views.tasks(wanted, _parent(parentId), with_root=includeProjectRoot))

    async def addTaskContext(
        self,
        taskId: str,
        title: Annotated[str, Field(min_length=1, max_length=100)],
        description: Annotated[str, Field(min_length=1, max_length=2000)],
        ctx: Context,
        contextType: str = "general",
    ) -> str:
        added = await self._run(contexts.add(self._actor(ctx), taskId, title, description, contextType))
        task = await self._run(listing.get(taskId))
        message = f'Added context slice "{title}" to task "{task.title}"'
        return _json({"contextSlice": context_json(added), "task": task_json(task), "message": message})

    async def addDependency(
        self,
        dependentTaskId: Annotated[str, Field(description="The task that waits")],
        dependencyTaskId: Annotated[str, Field(description="The task that must be done first")],
        ctx: Context,
    ) -> str:
        await self._run(dependencies.add(self._actor(ctx), dependentTaskId, [dependencyTaskId]))
        task = await self._run(listing.get(dependentTaskId))
        message = f"{task.id} now waits for {dependencyTaskId}"
        link = {"dependentTaskId": task.id, "dependencyTaskId": dependencyTaskId}
        return _json({"dependency": link, "task": task_json(task), "message": message})

    async def updateStatus(
        self,
        taskId: str,
        status: Status,
        ctx: Context,
        cascade: Annotated[bool, Field(description="Its subtasks too")] = False,
        agent: Annotated[str | None, Field(description="Who claimed it")] = None,
    ) -> str:
        updated = await self._run(editing.set_status(self._actor(ctx, agent), [taskId], status, cascade=cascade))
        message = f'Updated task "{updated[0].title}" to {status}'
        answer = {"task": task_json(updated[0]), "message": message}
        return _json(answer | ({"cascadeCount": len(updated) - 1} if cascade else {}))

    async def deleteTask(
        self, taskId: str, ctx: Context, cascade: Annotated[bool, Field(description="Its subtasks too")] = False
    ) -> str:
        task = await self._run(listing.get(taskId))
        deleted = await self._run(editing.delete(self._actor(ctx), [taskId], cascade=cascade))
        message = f'Deleted task "{task.title}"' + (f" and {len(deleted) - 1} subtasks" if len(deleted) > 1 else "")
        answer = {"deletedTask": task_json(task), "message": message, "deletedCount": len(deleted)}
        return _json({**answer, "cascaded": len(deleted) > 1})

    # Ours

    async def claimTask(
        self,
        ctx: Context,
        taskId: str | None = None,
        leaseSeconds: Annotated[float, Field(gt=0, le=86400)] = DEFAULT_LEASE,
        agent: Annotated[str | None, Field(description="Your name, if several agents share this connection")] = None,
    ) -> str:
        actor = self._actor(ctx, agent)
        if taskId is not None:
            claim = await self._run(claims.claim(actor, taskId, lease=leaseSeconds))
        elif (found := await self._run(claims.claim_next(actor, lease=leaseSeconds))) is not None:
            claim = found
        else:
            return _json({"claim": None, "task": None, "message": "No task is ready"})
        task = await self._run(listing.get(claim.id))
        return _json({"claim": claim_json(claim), "task": task_json(task), "message": f"Claimed {task.id}: {task.title}"})

    async def releaseTask(self, taskId: str, token: Annotated[int, Field(description="From claimTask")]) -> str:
        await self._run(claims.release(taskId, token))
        task = await self._run(listing.get(taskId))
        return _json({"task": task_json(task), "message": f"Released {task.id}"})

    async def searchTasks(self, text: str, limit: Annotated[int, Field(ge=1, le=100)] = 20) -> str:
        found = await self._run(listing.search(text, limit=limit))
        return _json({"tasks": [task_json(task) for task in found], "total": len(found)})

    # Resources

    async def board(self) -> str:
        return await self._read(task_views.board())

    async def task(self, id: str) -> str:
        return await self._read(task_views.one_task(id))

    # Inside

    def _actor(self, ctx: Context, agent: str | None = None) -> Actor:
        """Who acts: whom the call names, else the client as it introduced itself."""
        client = ctx.session.client_params
        name = agent or self._agent or (client.client_info.name if client is not None else "mcp")
        return Actor(name, session="mcp")

    async def _answer(self, operation: Operation[dict[str, Any]]) -> str:
        return _json(await self._run(operation))

    async def _run(self, operation: Operation[T]) -> T:
        """Perform an operation. Raises ToolError for what an agent can do something about."""
        try:
            return await self._perform(operation)
        except TaskError as error:
            raise ToolError(_advise(error)) from error
        except DatabaseError as error:
            advice = "; `astro init` makes it" if error.sqlstate == _NO_DATABASE else ""
            raise ToolError(describe(error) + advice) from error
        except ConnectionFailed as error:
            raise ToolError(str(error)) from error

    async def _read(self, operation: Operation[dict[str, Any]]) -> str:
        """Perform an operation for a resource."""
        try:
            return _json(await self._perform(operation))
        except TaskNotFound as error:
            raise ResourceNotFoundError(str(error)) from error
        except (TaskError, DatabaseError, ConnectionFailed) as error:
            raise ResourceError(str(error)) from error

    async def _perform(self, operation: Operation[T]) -> T:
        async with self._database.session() as connection:
            if not self._is_migrated:
                if await connection.run(migrations.version()) < migrations.LATEST:
                    await connection.run(migrations.migrate())
                self._is_migrated = True
            return await connection.run(operation)


def _parent(task_id: str | None) -> str | None:
    """Astrotask's root stands for no parent at all."""
    return None if task_id in {None, "", ROOT} else task_id


def _new_task(number: int, task: TaskToAdd) -> NewTask:
    index = task.get("parentIndex")
    for reference in ([] if index is None else [index]) + task.get("dependsOn", []):
        if reference >= number:
            raise ToolError(f"task {number} refers to task {reference}, which does not come before it")
    return NewTask(
        title=task["title"],
        description=task.get("description"),
        parent=_parent(task.get("parentTaskId")) if index is None else index,
        status=task.get("status", "pending"),
        priority=task.get("priorityScore", DEFAULT_PRIORITY),
        prd=task.get("details"),
        depends_on=tuple(task.get("dependsOn", ())),
    )


def _advise(error: TaskError) -> str:
    """What was refused, and what can be done."""
    match error:
        case TaskNotFound(similar=similar) if similar:
            return f"{error}; similar: {', '.join(similar)}"
        case TaskNotFound():
            return f"{error}; use searchTasks or listTasks"
        case ClaimedByAnother():
            return f"{error}; take another one (claimTask without taskId)"
        case ClaimLost():
            return f"{error}; claim it again before you go on"
        case TaskBlocked(below=True):
            return f"{error}; finish those first, or use cascade"
        case TaskBlocked():
            return f"{error}; finish those first"
    return str(error)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

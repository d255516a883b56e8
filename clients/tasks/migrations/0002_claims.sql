-- What astro adds: counters, tags, claims, the change log, and the views and functions that work without the CLI.

-- Counters are rows and no sequences: their values follow the commits, without gaps, so whoever reads on from the last change
-- that he knows misses none. `change` numbers the log; `id:TASK` gives the next task id of that prefix.
CREATE TABLE astro.counters (name text PRIMARY KEY, value bigint NOT NULL);
INSERT INTO astro.counters VALUES ('change', 0);

CREATE TABLE astro.tags (
    task_id text NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
    tag text NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (task_id, tag)
);

-- One row a task that was ever claimed. The token grows with every claim: work that comes with an old one is refused.
CREATE TABLE astro.claims (
    task_id text PRIMARY KEY REFERENCES public.tasks (id) ON DELETE CASCADE,
    token bigint NOT NULL,
    agent text NOT NULL,
    session text,
    claimed_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    released_at timestamptz
);

-- The rows of one operation have one batch, the number of its first change. `before` and `after` are whole rows.
CREATE TABLE astro.changes (
    id bigint PRIMARY KEY,
    batch bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    agent text NOT NULL,
    session text,
    operation text NOT NULL,
    relation text NOT NULL,
    row_id text NOT NULL,
    task_id text NOT NULL,
    before jsonb,
    after jsonb,
    undone_by bigint
);
CREATE INDEX changes_task ON astro.changes (task_id, id);

-- Astrotask's tables have no index but their keys.
CREATE INDEX tasks_parent ON public.tasks (parent_id);
CREATE INDEX dependencies_of ON public.task_dependencies (dependency_task_id);

CREATE VIEW astro.active_claims AS
SELECT task_id, token, agent, session, claimed_at, heartbeat_at, expires_at
FROM astro.claims
WHERE released_at IS NULL AND expires_at > now();

-- Dependencies that are not done yet.
CREATE VIEW astro.blockers AS
SELECT d.dependent_task_id AS task_id, d.dependency_task_id AS blocked_by
FROM public.task_dependencies d
JOIN public.tasks t ON t.id = d.dependency_task_id
WHERE t.status <> 'done';

-- Tasks that cannot be worked on: blocked, given up, waiting for a dependency, or below such a one.
CREATE VIEW astro.held AS
WITH RECURSIVE held (id) AS (
    SELECT t.id FROM public.tasks t
    WHERE t.status IN ('blocked', 'cancelled', 'archived') OR EXISTS (SELECT FROM astro.blockers b WHERE b.task_id = t.id)
    UNION
    SELECT t.id FROM public.tasks t JOIN held h ON t.parent_id = h.id
)
SELECT id FROM held;

-- What an agent can begin now: pending or left by its agent, not held, with no open task below it.
CREATE VIEW astro.ready AS
SELECT t.id, t.parent_id, t.title, t.description, t.status, t.priority_score, t.prd, t.context_digest, t.created_at, t.updated_at
FROM public.tasks t
WHERE (t.status = 'pending' OR t.status = 'in-progress' AND EXISTS
        (SELECT FROM astro.claims c WHERE c.task_id = t.id AND c.released_at IS NULL AND c.expires_at <= now()))
  AND t.id <> '__PROJECT_ROOT__'
  AND NOT EXISTS (SELECT FROM astro.active_claims c WHERE c.task_id = t.id)
  AND t.id NOT IN (SELECT h.id FROM astro.held h)
  AND NOT EXISTS
        (SELECT FROM public.tasks child WHERE child.parent_id = t.id AND child.status NOT IN ('done', 'cancelled', 'archived'));

-- Claim one task; no row when it is held, finished, or another agent's. Its own agent gets it again, with a new token.
CREATE FUNCTION astro.claim(task_id text, agent text, lease interval DEFAULT interval '15 minutes', session text DEFAULT NULL)
RETURNS TABLE (id text, title text, token bigint, expires_at timestamptz)
LANGUAGE sql
BEGIN ATOMIC
    WITH picked AS (
        SELECT t.id, to_jsonb(t) AS before FROM public.tasks t
        WHERE t.id = claim.task_id AND t.status IN ('pending', 'in-progress')
          AND t.id NOT IN (SELECT h.id FROM astro.held h)
        FOR UPDATE
    ), claimed AS (
        INSERT INTO astro.claims AS c (task_id, token, agent, session, claimed_at, heartbeat_at, expires_at)
        SELECT p.id, 1, claim.agent, claim.session, now(), now(), now() + claim.lease FROM picked p
        ON CONFLICT (task_id) DO UPDATE SET token = c.token + 1, agent = excluded.agent, session = excluded.session,
            claimed_at = now(), heartbeat_at = now(), expires_at = excluded.expires_at, released_at = NULL
        WHERE c.released_at IS NOT NULL OR c.expires_at <= now() OR c.agent = excluded.agent
        RETURNING c.task_id, c.token, c.expires_at
    ), started AS (
        UPDATE public.tasks t SET status = 'in-progress', updated_at = now()
        FROM claimed c WHERE t.id = c.task_id
        RETURNING t.id, t.title, c.token, c.expires_at, to_jsonb(t) AS after
    ), numbered AS (
        UPDATE astro.counters n SET value = value + 1 WHERE n.name = 'change' AND EXISTS (SELECT FROM started)
        RETURNING n.value
    ), logged AS (
        INSERT INTO astro.changes (id, batch, agent, session, operation, relation, row_id, task_id, before, after)
        SELECT n.value, n.value, claim.agent, claim.session, 'claim', 'tasks', s.id, s.id, p.before, s.after
        FROM started s JOIN picked p ON p.id = s.id CROSS JOIN numbered n
        RETURNING changes.id
    )
    SELECT s.id, s.title, s.token, s.expires_at
    FROM started s CROSS JOIN logged l CROSS JOIN LATERAL pg_notify('astro', l.id::text);
END;

-- Claim what is most important of what is ready; no row when nothing is.
CREATE FUNCTION astro.claim_next(agent text, lease interval DEFAULT interval '15 minutes', session text DEFAULT NULL)
RETURNS TABLE (id text, title text, token bigint, expires_at timestamptz)
LANGUAGE sql
BEGIN ATOMIC
    SELECT c.id, c.title, c.token, c.expires_at
    FROM astro.claim(
        (SELECT t.id FROM public.tasks t
         WHERE t.status IN ('pending', 'in-progress') AND t.id IN (SELECT r.id FROM astro.ready r)
         ORDER BY t.priority_score DESC, t.created_at, t.id
         LIMIT 1 FOR UPDATE SKIP LOCKED),
        claim_next.agent, claim_next.lease, claim_next.session) c;
END;

-- Keep a claim; the new end of the lease, or no row when the token is not the last one.
CREATE FUNCTION astro.heartbeat(task_id text, token bigint, lease interval DEFAULT interval '15 minutes')
RETURNS TABLE (expires_at timestamptz)
LANGUAGE sql
BEGIN ATOMIC
    UPDATE astro.claims c SET heartbeat_at = now(), expires_at = now() + heartbeat.lease
    WHERE c.task_id = heartbeat.task_id AND c.token = heartbeat.token AND c.released_at IS NULL
    RETURNING c.expires_at;
END;

-- Give a claim back, and the task with it if it is not finished; no row when the token is not the last one.
CREATE FUNCTION astro.release(task_id text, token bigint)
RETURNS TABLE (id text, status text)
LANGUAGE sql
BEGIN ATOMIC
    WITH released AS (
        UPDATE astro.claims c SET released_at = now()
        WHERE c.task_id = release.task_id AND c.token = release.token AND c.released_at IS NULL
        RETURNING c.task_id, c.agent, c.session
    ), found AS (
        SELECT t.id, to_jsonb(t) AS before, r.agent, r.session
        FROM public.tasks t JOIN released r ON r.task_id = t.id
    ), given AS (
        UPDATE public.tasks t SET status = CASE t.status WHEN 'in-progress' THEN 'pending' ELSE t.status END, updated_at = now()
        FROM found f WHERE f.id = t.id
        RETURNING t.id, t.status, to_jsonb(t) AS after
    ), numbered AS (
        UPDATE astro.counters n SET value = value + 1 WHERE n.name = 'change' AND EXISTS (SELECT FROM given)
        RETURNING n.value
    ), logged AS (
        INSERT INTO astro.changes (id, batch, agent, session, operation, relation, row_id, task_id, before, after)
        SELECT n.value, n.value, f.agent, f.session, 'release', 'tasks', f.id, f.id, f.before, g.after
        FROM given g JOIN found f ON f.id = g.id CROSS JOIN numbered n
        RETURNING changes.id
    )
    SELECT g.id, g.status FROM given g CROSS JOIN logged l CROSS JOIN LATERAL pg_notify('astro', l.id::text);
END;

-- Tasks as people and agents read them: without the root, with tags, claim and what they wait for.
CREATE VIEW astro.tasks AS
SELECT t.id, nullif(t.parent_id, '__PROJECT_ROOT__') AS parent_id, t.title, t.description, t.status, t.priority_score, t.prd,
    t.context_digest, t.created_at, t.updated_at,
    (SELECT coalesce(jsonb_agg(g.tag ORDER BY g.tag), '[]') FROM astro.tags g WHERE g.task_id = t.id) AS tags,
    (SELECT coalesce(jsonb_agg(b.blocked_by ORDER BY b.blocked_by), '[]') FROM astro.blockers b WHERE b.task_id = t.id) AS blocked_by,
    c.agent, c.token, c.expires_at
FROM public.tasks t
LEFT JOIN astro.active_claims c ON c.task_id = t.id
WHERE t.id <> '__PROJECT_ROOT__';

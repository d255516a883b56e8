-- Astrotask's three tables, as @astrotask/core 0.4 migrates them; whoever comes first makes them.

CREATE TABLE IF NOT EXISTS public.tasks (
    id text PRIMARY KEY NOT NULL,
    parent_id text,
    title text NOT NULL,
    description text,
    status text DEFAULT 'pending' NOT NULL,
    priority_score real DEFAULT 50 NOT NULL,
    prd text,
    context_digest text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT status_check CHECK (status IN ('pending', 'in-progress', 'blocked', 'done', 'cancelled', 'archived')),
    CONSTRAINT priority_score_check CHECK (priority_score >= 0 AND priority_score <= 100),
    CONSTRAINT tasks_parent_id_tasks_id_fk FOREIGN KEY (parent_id) REFERENCES public.tasks (id)
);

CREATE TABLE IF NOT EXISTS public.task_dependencies (
    id text PRIMARY KEY NOT NULL,
    dependent_task_id text NOT NULL,
    dependency_task_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT unique_dependency UNIQUE (dependent_task_id, dependency_task_id),
    CONSTRAINT no_self_dependency CHECK (dependent_task_id <> dependency_task_id),
    CONSTRAINT task_dependencies_dependent_task_id_tasks_id_fk
        FOREIGN KEY (dependent_task_id) REFERENCES public.tasks (id) ON DELETE CASCADE,
    CONSTRAINT task_dependencies_dependency_task_id_tasks_id_fk
        FOREIGN KEY (dependency_task_id) REFERENCES public.tasks (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS public.context_slices (
    id text PRIMARY KEY NOT NULL,
    title text NOT NULL,
    description text,
    context_type text DEFAULT 'general' NOT NULL,
    task_id text,
    context_digest text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT context_slices_task_id_tasks_id_fk FOREIGN KEY (task_id) REFERENCES public.tasks (id)
);

INSERT INTO public.tasks (id, title, description, status)
VALUES ('__PROJECT_ROOT__', 'Project Root', 'Root container for all project tasks', 'done')
ON CONFLICT (id) DO NOTHING;

-- drizzle-orm's record of Astrotask's own migration, or Astrotask would make the tables again when it comes second.
CREATE SCHEMA IF NOT EXISTS drizzle;
CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);
INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
SELECT '381fd79c74dd9380b6d458caf8ab4dbe907e974fb1e8d0c5abdd433ac7fdff55', 1749653882415
WHERE NOT EXISTS (SELECT FROM drizzle.__drizzle_migrations WHERE created_at >= 1749653882415);

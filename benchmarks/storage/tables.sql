-- The tables and indexes that the original service documents, in a schema of their own. (gen_random_uuid needs no
-- extension, as the original's uuid_generate_v4 does.)
CREATE SCHEMA storage;

CREATE TABLE storage.chat_sessions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id VARCHAR(255),
    title VARCHAR(500) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    prompt_tokens INTEGER DEFAULT 0,
    completion_tokens INTEGER DEFAULT 0,
    total_tokens INTEGER DEFAULT 0
);

CREATE TABLE storage.messages (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id UUID NOT NULL REFERENCES storage.chat_sessions (id) ON DELETE CASCADE,
    role VARCHAR(50) NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content TEXT,
    model VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    tool_calls JSONB,
    tool_call_id VARCHAR(255),
    name VARCHAR(255)
);

CREATE INDEX ON storage.chat_sessions (user_id);
CREATE INDEX ON storage.chat_sessions (created_at);
CREATE INDEX ON storage.messages (session_id);
CREATE INDEX ON storage.messages (created_at);

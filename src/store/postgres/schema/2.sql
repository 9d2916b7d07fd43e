-- Sessions by their tags and topics, in the order of the inbox, so that a page of them costs the same however many there ever were. A
-- trigger keeps it, so that it is right whichever version's daemon changes a session.

-- First of all: whoever works with sessions is locked out until the end, and not in the middle.
DROP INDEX sessions_tagged;
DROP INDEX sessions_about;

CREATE TABLE session_labels (
    -- 0: a tag; 1: a topic.
    kind smallint,
    label text COLLATE "C",
    inbox smallint,
    inbox_since bigint,
    session_id uuid,
    PRIMARY KEY (kind, label, inbox, inbox_since, session_id)
);
CREATE INDEX session_labels_of ON session_labels (session_id);

CREATE FUNCTION keep_session_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM session_labels WHERE session_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO session_labels
            SELECT 0, label, NEW.inbox, NEW.inbox_since, NEW.id FROM unnest(NEW.tags) AS label
            UNION SELECT 1, label, NEW.inbox, NEW.inbox_since, NEW.id FROM unnest(NEW.topics) AS label;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_labels_made AFTER INSERT ON sessions FOR EACH ROW
    WHEN (NEW.tags <> '{}' OR NEW.topics <> '{}') EXECUTE FUNCTION keep_session_labels();
CREATE TRIGGER session_labels_changed AFTER UPDATE ON sessions FOR EACH ROW
    WHEN (OLD.tags <> NEW.tags OR OLD.topics <> NEW.topics
        OR (OLD.inbox <> NEW.inbox OR OLD.inbox_since <> NEW.inbox_since) AND (NEW.tags <> '{}' OR NEW.topics <> '{}'))
    EXECUTE FUNCTION keep_session_labels();
CREATE TRIGGER session_labels_gone AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.tags <> '{}' OR OLD.topics <> '{}') EXECUTE FUNCTION keep_session_labels();

INSERT INTO session_labels
    SELECT 0, label, s.inbox, s.inbox_since, s.id FROM sessions s, unnest(s.tags) AS label WHERE s.tags <> '{}'
    UNION SELECT 1, label, s.inbox, s.inbox_since, s.id FROM sessions s, unnest(s.topics) AS label WHERE s.topics <> '{}';
-- Whether another daemon asks for the texts that this one, which is gone, may have missed.
ALTER TABLE daemons ADD COLUMN is_noted boolean NOT NULL DEFAULT false;

-- What is written to see whether anything can be.
INSERT INTO counters VALUES ('written', 0);

-- The connections that batches are written on, and the number of the last batch that each has committed. What the server calls a
-- transaction does not say what became of it: after a crash the next one may be called the same.
CREATE TABLE writers (
    name uuid PRIMARY KEY,
    batch bigint NOT NULL,
    at timestamptz NOT NULL
) WITH (fillfactor = 50);

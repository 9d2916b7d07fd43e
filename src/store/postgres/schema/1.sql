-- Everything that a store holds. A record is JSON, as an export writes it; the columns beside it are what it is found by.
-- Moments are milliseconds since 1970 (UTC). Texts that come from outside sort by their bytes, whatever the database's locale.
-- `seq` is the order of creation or of queueing, over all tables.

CREATE SEQUENCE orders INCREMENT BY 1024;

CREATE TABLE counters (
    name text PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO counters VALUES ('events', 0), ('parked', 0);

-- The daemons, until when each is in office by this server's clock, and what each of them could do.
CREATE TABLE daemons (
    name text COLLATE "C" PRIMARY KEY,
    in_office_until timestamptz NOT NULL,
    shown_at timestamptz NOT NULL,
    -- Since when customers' texts may have been missed that it would still ask for.
    missed_since bigint,
    duties text[] COLLATE "C" NOT NULL
);

-- What one daemon at a time does, and which.
CREATE TABLE duties (
    name text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C"
);

-- What is known of the store as a whole.
CREATE TABLE facts (
    name text PRIMARY KEY,
    record json NOT NULL
);

CREATE TABLE customers (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    number text COLLATE "C",
    -- By which key of idempotency it was created.
    key_scope text COLLATE "C",
    key_name text COLLATE "C",
    record json NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX customers_in_order ON customers (seq);
CREATE UNIQUE INDEX customers_by_number ON customers (number);

-- The words by which customers are found.
CREATE TABLE customer_words (
    word text COLLATE "C",
    customer_id uuid,
    PRIMARY KEY (word, customer_id)
);
CREATE INDEX customer_words_of ON customer_words (customer_id);

CREATE TABLE consent_log (
    number bytea,
    seq bigint,
    record json NOT NULL,
    PRIMARY KEY (number, seq)
);

-- Numbers whose erased person had opted out.
CREATE TABLE suppressed_numbers (
    number bytea PRIMARY KEY
);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    customer_id uuid NOT NULL,
    -- 0: its customer waits; 1: answered; 2: the bot has it.
    inbox smallint NOT NULL,
    inbox_since bigint NOT NULL,
    attend_at bigint,
    assignee text COLLATE "C",
    tags text[] COLLATE "C" NOT NULL,
    topics text[] COLLATE "C" NOT NULL,
    last_message_at bigint NOT NULL,
    record json NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX sessions_of_customer ON sessions (customer_id, seq);
CREATE INDEX sessions_in_inbox ON sessions (inbox, inbox_since, id);
CREATE INDEX sessions_to_attend ON sessions (attend_at, id) WHERE attend_at IS NOT NULL;
CREATE INDEX sessions_assigned ON sessions (assignee, inbox, inbox_since, id) WHERE assignee IS NOT NULL;
CREATE INDEX sessions_tagged ON sessions USING gin (tags) WITH (fastupdate = off) WHERE tags <> '{}';
CREATE INDEX sessions_about ON sessions USING gin (topics) WITH (fastupdate = off) WHERE topics <> '{}';

-- Whose session a text is proposed for.
CREATE TABLE suggestions (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL
);
CREATE INDEX suggestions_of ON suggestions (session_id);

CREATE TABLE messages (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    place bigint NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL,
    -- The rest is null, or false, for customers' texts.
    seq bigint,
    channel text COLLATE "C",
    sender text COLLATE "C",
    priority smallint,
    segments integer,
    ready_at bigint,
    valid_until bigint,
    look_at bigint,
    -- Since when its customer's later texts wait for it, while nobody knows its fate.
    holds_since bigint,
    -- How often the provider was asked about it, and since when it has said nothing.
    asks smallint,
    silent_since bigint,
    owner text COLLATE "C",
    -- Not settled yet; of those, the ones that later texts of the customer wait for.
    is_open boolean NOT NULL,
    holds_queue boolean NOT NULL,
    -- The first of its customer's queue, if it is queued: what may leave next.
    is_head boolean NOT NULL,
    key_scope text COLLATE "C",
    key_name text COLLATE "C",
    record json NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX messages_in_session ON messages (session_id, place);
CREATE INDEX messages_open ON messages (customer_id, seq) WHERE is_open;
CREATE INDEX messages_ready ON messages (channel, sender, priority, ready_at, seq) WHERE is_head;
CREATE INDEX messages_in_lane ON messages (channel, sender) WHERE status = 'queued';
CREATE INDEX messages_expiring ON messages (valid_until, seq) WHERE status = 'queued';
CREATE INDEX messages_in_hand ON messages (owner) WHERE status = 'sending';
CREATE INDEX messages_looked_for ON messages (channel, look_at, seq) WHERE status = 'unknown' AND look_at IS NOT NULL;
CREATE INDEX messages_held ON messages (seq) WHERE status = 'unknown' AND look_at IS NULL;
CREATE INDEX messages_holding ON messages (channel, holds_since, seq) WHERE holds_since IS NOT NULL;
CREATE INDEX messages_silent ON messages (channel, asks, silent_since, seq) WHERE silent_since IS NOT NULL;

-- The customers' texts by the provider's id: what makes a repeat a repeat. Outlives the message.
CREATE TABLE inbound_ids (
    provider_id text COLLATE "C",
    channel text COLLATE "C",
    message_id uuid NOT NULL,
    PRIMARY KEY (provider_id, channel)
);

-- Our texts by the provider's id; null while there are only receipts for it.
CREATE TABLE outbound_ids (
    provider_id text COLLATE "C",
    channel text COLLATE "C",
    message_id uuid,
    PRIMARY KEY (provider_id, channel)
);

-- Receipts that came before their message's provider id.
CREATE TABLE parked_receipts (
    provider_id text COLLATE "C",
    channel text COLLATE "C",
    seq bigint,
    at bigint NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (provider_id, channel, seq)
);
CREATE INDEX parked_receipts_by_age ON parked_receipts (at, seq);

CREATE TABLE turns (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    session_id uuid NOT NULL,
    place bigint NOT NULL,
    customer_id uuid NOT NULL,
    due_at bigint NOT NULL,
    -- In whose hand it is.
    owner text COLLATE "C",
    -- Still to be told or answered.
    is_open boolean NOT NULL,
    -- The first open one of its session, if it is pending: what may be handed out next.
    is_head boolean NOT NULL,
    has_failed boolean NOT NULL,
    record json NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX turns_in_session ON turns (session_id, place);
CREATE INDEX turns_open ON turns (customer_id, session_id, place) WHERE is_open;
CREATE INDEX turns_due ON turns (due_at, seq) WHERE is_head;
CREATE INDEX turns_in_hand ON turns (owner) WHERE owner IS NOT NULL;
CREATE INDEX turns_failed ON turns (seq) WHERE has_failed;

CREATE TABLE idempotency_keys (
    scope text COLLATE "C",
    name text COLLATE "C",
    at bigint NOT NULL,
    -- Whose what it created is, and of which conversation.
    customer_id uuid NOT NULL,
    session_id uuid,
    record json NOT NULL,
    PRIMARY KEY (scope, name)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at, scope, name);

-- The log of events. Parts of it are made ahead, and dropped as a whole.
CREATE TABLE events (
    place bigint PRIMARY KEY,
    at bigint NOT NULL,
    record json NOT NULL
) PARTITION BY RANGE (place);

-- Whom the events are told, and how far.
CREATE TABLE endpoints (
    name text COLLATE "C" PRIMARY KEY,
    record json NOT NULL
);
CREATE TABLE deliveries (
    endpoint text COLLATE "C",
    place bigint,
    next_at bigint,
    record json NOT NULL,
    PRIMARY KEY (endpoint, place)
);
CREATE INDEX deliveries_due ON deliveries (endpoint, next_at, place) WHERE next_at IS NOT NULL;

-- What rests since the provider said so; without a sender, the channel's account.
CREATE TABLE pauses (
    channel text COLLATE "C",
    sender text COLLATE "C",
    until bigint NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (channel, sender)
);

CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE,
    record json NOT NULL
);

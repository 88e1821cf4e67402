-- The tables every version has. The columns of service_metrics come from the catalogue, one DOUBLE a metric:
-- a new store has them from the start, an older one gets new ones when it is opened. No keys: MERGE keeps rows unique,
-- and a primary key costs three times the bulk load. The same in a file and in a lake.

CREATE TABLE IF NOT EXISTS services (
    service_name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    team VARCHAR,
    tier VARCHAR,
    objective DOUBLE,
    latency_target DOUBLE,
    cpu_limit DOUBLE,
    memory_limit DOUBLE,
    desired_pods DOUBLE
);

CREATE TABLE IF NOT EXISTS service_metrics (
    service_name VARCHAR NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL /* numbers of service_metrics */
);

CREATE TABLE IF NOT EXISTS metrics_anomalies (
    service_name VARCHAR NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    detector VARCHAR NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    peak_at TIMESTAMPTZ NOT NULL,
    is_open BOOLEAN NOT NULL,
    severity VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    message VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS calls (
    caller VARCHAR NOT NULL,
    callee VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS faults (
    service_name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    metrics VARCHAR NOT NULL,
    root_cause VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS cycles (
    started_at TIMESTAMPTZ NOT NULL,
    seconds DOUBLE NOT NULL,
    services BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    anomalies BIGINT NOT NULL,
    failures VARCHAR NOT NULL,
    warnings VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS meta (
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

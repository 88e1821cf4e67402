-- A store of the version before the tables had classes (schema 11), with rows in every table: made by that version,
-- and written down as SQL. ARCHIVE stands for the folder of its archive.

CREATE TABLE api_keys(id VARCHAR NOT NULL, "name" VARCHAR NOT NULL, "role" VARCHAR NOT NULL, services VARCHAR NOT NULL, salt VARCHAR NOT NULL, hash VARCHAR NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, expires_at TIMESTAMP WITH TIME ZONE, revoked_at TIMESTAMP WITH TIME ZONE, last_used_at TIMESTAMP WITH TIME ZONE);
INSERT INTO api_keys VALUES
    ('k1', 'ci', 'reader', '["shop/*", "a,b"]', '00ff', 'abababababababab', '2026-01-31 22:00:00+00', '2026-02-01 04:00:00+00', NULL, NULL);

CREATE TABLE archive_files(file VARCHAR NOT NULL, "month" TIMESTAMP WITH TIME ZONE NOT NULL, row_count BIGINT NOT NULL, checksum VARCHAR NOT NULL);
INSERT INTO archive_files VALUES
    ('month=2026-01/samples-435bc2ba2a28.parquet', '2026-01-01 00:00:00+00', 4, '46514106883447923089');

CREATE TABLE audit_log(id VARCHAR NOT NULL, done_at TIMESTAMP WITH TIME ZONE NOT NULL, who VARCHAR NOT NULL, address VARCHAR NOT NULL, "action" VARCHAR NOT NULL, "target" VARCHAR NOT NULL, result VARCHAR NOT NULL, detail VARCHAR NOT NULL);
INSERT INTO audit_log VALUES
    ('r1', '2026-02-01 03:00:00+00', 'key:ci', '127.0.0.1', 'POST /api/feedback', 'shop/cart', '403', 'it''s not yours');

CREATE TABLE calls(caller VARCHAR NOT NULL, callee VARCHAR NOT NULL);
INSERT INTO calls VALUES
    ('shop/cart', 'shop/it''s – ünïcode');

CREATE TABLE cycles(started_at TIMESTAMP WITH TIME ZONE NOT NULL, "seconds" DOUBLE NOT NULL, services BIGINT NOT NULL, samples BIGINT NOT NULL, anomalies BIGINT NOT NULL, failures VARCHAR NOT NULL, warnings VARCHAR NOT NULL, skipped BIGINT);
INSERT INTO cycles VALUES
    ('2026-02-01 03:00:00+00', 1.5, 2, 2, 1, '[{"what": "error_rate", "error": "bad query"}]', '["partial"]', 4);

CREATE TABLE detector_states(service_name VARCHAR NOT NULL, detector VARCHAR NOT NULL, made_as VARCHAR NOT NULL, learned_until TIMESTAMP WITH TIME ZONE NOT NULL, kept_at TIMESTAMP WITH TIME ZONE NOT NULL, state BLOB NOT NULL);
INSERT INTO detector_states VALUES
    ('shop/cart', 'multiscale', 'version 1', '2026-02-01 03:00:00+00', '2026-02-01 03:00:00+00', unhex('000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F2700'));

CREATE TABLE faults(service_name VARCHAR NOT NULL, kind VARCHAR NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL, metrics VARCHAR NOT NULL, root_cause VARCHAR NOT NULL);
INSERT INTO faults VALUES
    ('shop/cart', 'memory_leak', '2026-01-31 22:00:00+00', '2026-02-01 03:00:00+00', 'memory_usage,restart_count', 'shop/cart');

CREATE TABLE feedback(service_name VARCHAR NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, detector VARCHAR NOT NULL, verdict VARCHAR NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL, given_at TIMESTAMP WITH TIME ZONE NOT NULL, note VARCHAR NOT NULL);
INSERT INTO feedback VALUES
    ('shop/cart', '2026-01-31 22:00:00+00', 'multiscale', 'false_alarm', '2026-01-31 23:00:00+00', '2026-02-01 03:00:00+00', 'a rehearsal');

CREATE TABLE fetches("source" VARCHAR NOT NULL, asks VARCHAR NOT NULL, services VARCHAR NOT NULL, step DOUBLE NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL, samples BIGINT NOT NULL, warnings VARCHAR NOT NULL, fetched_at TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO fetches VALUES
    ('eu', 'a digest', '["shop/cart"]', 60.0, '2026-01-31 22:00:00+00', '2026-01-31 23:00:00+00', 2, '["slow"]', '2026-02-01 03:00:00+00');

CREATE TABLE leases("name" VARCHAR NOT NULL, holder VARCHAR NOT NULL, "until" TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO leases VALUES
    ('worker', 'me:1', '2026-02-01 04:00:00+00');

CREATE TABLE meta("key" VARCHAR NOT NULL, "value" VARCHAR NOT NULL);
INSERT INTO meta VALUES
    ('samples view', 'e0c3c4b58be754536b40c46236500925422a5c9bcf237e258f6c0ae7fe1535fa'),
    ('source', 'eu');

CREATE TABLE metrics_anomalies(service_name VARCHAR NOT NULL, "timestamp" TIMESTAMP WITH TIME ZONE NOT NULL, detector VARCHAR NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL, peak_at TIMESTAMP WITH TIME ZONE NOT NULL, is_open BOOLEAN NOT NULL, severity VARCHAR NOT NULL, score DOUBLE NOT NULL, message VARCHAR NOT NULL, evidence VARCHAR NOT NULL);
INSERT INTO metrics_anomalies VALUES
    ('shop/cart', '2026-01-31 22:00:00+00', 'multiscale', '2026-01-31 23:00:00+00', '2026-01-31 22:00:00+00', True, 'high', 3.5, 'shop/cart: slow', '[{"metric": "latency_p99", "actual": 4.1, "typical": 0.3, "lower": 0.2, "upper": 0.4, "share": 0.75, "direction": "up"}, {"metric": "request_rate", "actual": 0.0, "typical": 5.0, "lower": 4.0, "upper": 6.0, "share": 0.25, "direction": "down"}]');

CREATE TABLE remarks("source" VARCHAR NOT NULL, warning VARCHAR NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, ended_at TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO remarks VALUES
    ('eu', 'a store is away', '2026-02-01 02:00:00+00', '2026-02-01 02:00:00+00');

CREATE TABLE rollup_1h(service_name VARCHAR NOT NULL, "timestamp" TIMESTAMP WITH TIME ZONE NOT NULL, samples BIGINT NOT NULL, oldest TIMESTAMP WITH TIME ZONE NOT NULL, newest TIMESTAMP WITH TIME ZONE NOT NULL, service_key UINTEGER, request_rate__min FLOAT, request_rate__max FLOAT, request_rate__avg FLOAT, request_rate__count FLOAT, error_rate__min FLOAT, error_rate__max FLOAT, error_rate__avg FLOAT, error_rate__count FLOAT, latency_p50__min FLOAT, latency_p50__max FLOAT, latency_p50__avg FLOAT, latency_p50__count FLOAT, latency_p95__min FLOAT, latency_p95__max FLOAT, latency_p95__avg FLOAT, latency_p95__count FLOAT, latency_p99__min FLOAT, latency_p99__max FLOAT, latency_p99__avg FLOAT, latency_p99__count FLOAT, cpu_usage__min FLOAT, cpu_usage__max FLOAT, cpu_usage__avg FLOAT, cpu_usage__count FLOAT, memory_usage__min FLOAT, memory_usage__max FLOAT, memory_usage__avg FLOAT, memory_usage__count FLOAT, restart_count__min FLOAT, restart_count__max FLOAT, restart_count__avg FLOAT, restart_count__count FLOAT, pod_count__min FLOAT, pod_count__max FLOAT, pod_count__avg FLOAT, pod_count__count FLOAT);
INSERT INTO rollup_1h VALUES
    ('shop/cart', '2026-01-31 22:00:00+00', 1, '2026-01-31 22:00:00+00', '2026-01-31 22:00:00+00', 3419851480, NULL, NULL, NULL, 0.0, 0.125, 0.125, 0.125, 1.0, 0.25, 0.25, 0.25, 1.0, 0.375, 0.375, 0.375, 1.0, 0.5, 0.5, 0.5, 1.0, 0.625, 0.625, 0.625, 1.0, 0.75, 0.75, 0.75, 1.0, 0.875, 0.875, 0.875, 1.0, 1.0, 1.0, 1.0, 1.0),
    ('shop/cart', '2026-01-31 23:00:00+00', 1, '2026-01-31 23:00:00+00', '2026-01-31 23:00:00+00', 3419851480, 1.0, 1.0, 1.0, 1.0, NULL, NULL, NULL, 0.0, 1.25, 1.25, 1.25, 1.0, 1.375, 1.375, 1.375, 1.0, 1.5, 1.5, 1.5, 1.0, 1.625, 1.625, 1.625, 1.0, 1.75, 1.75, 1.75, 1.0, 1.875, 1.875, 1.875, 1.0, 2.0, 2.0, 2.0, 1.0),
    ('shop/cart', '2026-02-01 00:00:00+00', 1, '2026-02-01 00:00:00+00', '2026-02-01 00:00:00+00', 3419851480, 2.0, 2.0, 2.0, 1.0, 2.125, 2.125, 2.125, 1.0, NULL, NULL, NULL, 0.0, 2.375, 2.375, 2.375, 1.0, 2.5, 2.5, 2.5, 1.0, 2.625, 2.625, 2.625, 1.0, 2.75, 2.75, 2.75, 1.0, 2.875, 2.875, 2.875, 1.0, 3.0, 3.0, 3.0, 1.0),
    ('shop/cart', '2026-02-01 01:00:00+00', 1, '2026-02-01 01:00:00+00', '2026-02-01 01:00:00+00', 3419851480, 3.0, 3.0, 3.0, 1.0, 3.125, 3.125, 3.125, 1.0, 3.25, 3.25, 3.25, 1.0, NULL, NULL, NULL, 0.0, 3.5, 3.5, 3.5, 1.0, 3.625, 3.625, 3.625, 1.0, 3.75, 3.75, 3.75, 1.0, 3.875, 3.875, 3.875, 1.0, 4.0, 4.0, 4.0, 1.0),
    ('shop/cart', '2026-02-01 02:00:00+00', 1, '2026-02-01 02:00:00+00', '2026-02-01 02:00:00+00', 3419851480, 4.0, 4.0, 4.0, 1.0, 4.125, 4.125, 4.125, 1.0, 4.25, 4.25, 4.25, 1.0, 4.375, 4.375, 4.375, 1.0, NULL, NULL, NULL, 0.0, 4.625, 4.625, 4.625, 1.0, 4.75, 4.75, 4.75, 1.0, 4.875, 4.875, 4.875, 1.0, 5.0, 5.0, 5.0, 1.0),
    ('shop/it''s – ünïcode', '2026-01-31 22:00:00+00', 1, '2026-01-31 22:00:00+00', '2026-01-31 22:00:00+00', 3371611521, NULL, NULL, NULL, 0.0, 1.125, 1.125, 1.125, 1.0, 1.25, 1.25, 1.25, 1.0, 1.375, 1.375, 1.375, 1.0, 1.5, 1.5, 1.5, 1.0, 1.625, 1.625, 1.625, 1.0, 1.75, 1.75, 1.75, 1.0, 1.875, 1.875, 1.875, 1.0, 2.0, 2.0, 2.0, 1.0),
    ('shop/it''s – ünïcode', '2026-01-31 23:00:00+00', 1, '2026-01-31 23:00:00+00', '2026-01-31 23:00:00+00', 3371611521, 2.0, 2.0, 2.0, 1.0, NULL, NULL, NULL, 0.0, 2.25, 2.25, 2.25, 1.0, 2.375, 2.375, 2.375, 1.0, 2.5, 2.5, 2.5, 1.0, 2.625, 2.625, 2.625, 1.0, 2.75, 2.75, 2.75, 1.0, 2.875, 2.875, 2.875, 1.0, 3.0, 3.0, 3.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 00:00:00+00', 1, '2026-02-01 00:00:00+00', '2026-02-01 00:00:00+00', 3371611521, 3.0, 3.0, 3.0, 1.0, 3.125, 3.125, 3.125, 1.0, NULL, NULL, NULL, 0.0, 3.375, 3.375, 3.375, 1.0, 3.5, 3.5, 3.5, 1.0, 3.625, 3.625, 3.625, 1.0, 3.75, 3.75, 3.75, 1.0, 3.875, 3.875, 3.875, 1.0, 4.0, 4.0, 4.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 01:00:00+00', 1, '2026-02-01 01:00:00+00', '2026-02-01 01:00:00+00', 3371611521, 4.0, 4.0, 4.0, 1.0, 4.125, 4.125, 4.125, 1.0, 4.25, 4.25, 4.25, 1.0, NULL, NULL, NULL, 0.0, 4.5, 4.5, 4.5, 1.0, 4.625, 4.625, 4.625, 1.0, 4.75, 4.75, 4.75, 1.0, 4.875, 4.875, 4.875, 1.0, 5.0, 5.0, 5.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 02:00:00+00', 1, '2026-02-01 02:00:00+00', '2026-02-01 02:00:00+00', 3371611521, 5.0, 5.0, 5.0, 1.0, 5.125, 5.125, 5.125, 1.0, 5.25, 5.25, 5.25, 1.0, 5.375, 5.375, 5.375, 1.0, NULL, NULL, NULL, 0.0, 5.625, 5.625, 5.625, 1.0, 5.75, 5.75, 5.75, 1.0, 5.875, 5.875, 5.875, 1.0, 6.0, 6.0, 6.0, 1.0);

CREATE TABLE rollup_5m(service_name VARCHAR NOT NULL, "timestamp" TIMESTAMP WITH TIME ZONE NOT NULL, samples BIGINT NOT NULL, oldest TIMESTAMP WITH TIME ZONE NOT NULL, newest TIMESTAMP WITH TIME ZONE NOT NULL, service_key UINTEGER, request_rate__min FLOAT, request_rate__max FLOAT, request_rate__avg FLOAT, request_rate__count FLOAT, error_rate__min FLOAT, error_rate__max FLOAT, error_rate__avg FLOAT, error_rate__count FLOAT, latency_p50__min FLOAT, latency_p50__max FLOAT, latency_p50__avg FLOAT, latency_p50__count FLOAT, latency_p95__min FLOAT, latency_p95__max FLOAT, latency_p95__avg FLOAT, latency_p95__count FLOAT, latency_p99__min FLOAT, latency_p99__max FLOAT, latency_p99__avg FLOAT, latency_p99__count FLOAT, cpu_usage__min FLOAT, cpu_usage__max FLOAT, cpu_usage__avg FLOAT, cpu_usage__count FLOAT, memory_usage__min FLOAT, memory_usage__max FLOAT, memory_usage__avg FLOAT, memory_usage__count FLOAT, restart_count__min FLOAT, restart_count__max FLOAT, restart_count__avg FLOAT, restart_count__count FLOAT, pod_count__min FLOAT, pod_count__max FLOAT, pod_count__avg FLOAT, pod_count__count FLOAT);
INSERT INTO rollup_5m VALUES
    ('shop/cart', '2026-01-31 22:00:00+00', 1, '2026-01-31 22:00:00+00', '2026-01-31 22:00:00+00', 3419851480, NULL, NULL, NULL, 0.0, 0.125, 0.125, 0.125, 1.0, 0.25, 0.25, 0.25, 1.0, 0.375, 0.375, 0.375, 1.0, 0.5, 0.5, 0.5, 1.0, 0.625, 0.625, 0.625, 1.0, 0.75, 0.75, 0.75, 1.0, 0.875, 0.875, 0.875, 1.0, 1.0, 1.0, 1.0, 1.0),
    ('shop/cart', '2026-01-31 23:00:00+00', 1, '2026-01-31 23:00:00+00', '2026-01-31 23:00:00+00', 3419851480, 1.0, 1.0, 1.0, 1.0, NULL, NULL, NULL, 0.0, 1.25, 1.25, 1.25, 1.0, 1.375, 1.375, 1.375, 1.0, 1.5, 1.5, 1.5, 1.0, 1.625, 1.625, 1.625, 1.0, 1.75, 1.75, 1.75, 1.0, 1.875, 1.875, 1.875, 1.0, 2.0, 2.0, 2.0, 1.0),
    ('shop/cart', '2026-02-01 00:00:00+00', 1, '2026-02-01 00:00:00+00', '2026-02-01 00:00:00+00', 3419851480, 2.0, 2.0, 2.0, 1.0, 2.125, 2.125, 2.125, 1.0, NULL, NULL, NULL, 0.0, 2.375, 2.375, 2.375, 1.0, 2.5, 2.5, 2.5, 1.0, 2.625, 2.625, 2.625, 1.0, 2.75, 2.75, 2.75, 1.0, 2.875, 2.875, 2.875, 1.0, 3.0, 3.0, 3.0, 1.0),
    ('shop/cart', '2026-02-01 01:00:00+00', 1, '2026-02-01 01:00:00+00', '2026-02-01 01:00:00+00', 3419851480, 3.0, 3.0, 3.0, 1.0, 3.125, 3.125, 3.125, 1.0, 3.25, 3.25, 3.25, 1.0, NULL, NULL, NULL, 0.0, 3.5, 3.5, 3.5, 1.0, 3.625, 3.625, 3.625, 1.0, 3.75, 3.75, 3.75, 1.0, 3.875, 3.875, 3.875, 1.0, 4.0, 4.0, 4.0, 1.0),
    ('shop/cart', '2026-02-01 02:00:00+00', 1, '2026-02-01 02:00:00+00', '2026-02-01 02:00:00+00', 3419851480, 4.0, 4.0, 4.0, 1.0, 4.125, 4.125, 4.125, 1.0, 4.25, 4.25, 4.25, 1.0, 4.375, 4.375, 4.375, 1.0, NULL, NULL, NULL, 0.0, 4.625, 4.625, 4.625, 1.0, 4.75, 4.75, 4.75, 1.0, 4.875, 4.875, 4.875, 1.0, 5.0, 5.0, 5.0, 1.0),
    ('shop/it''s – ünïcode', '2026-01-31 22:00:00+00', 1, '2026-01-31 22:00:00+00', '2026-01-31 22:00:00+00', 3371611521, NULL, NULL, NULL, 0.0, 1.125, 1.125, 1.125, 1.0, 1.25, 1.25, 1.25, 1.0, 1.375, 1.375, 1.375, 1.0, 1.5, 1.5, 1.5, 1.0, 1.625, 1.625, 1.625, 1.0, 1.75, 1.75, 1.75, 1.0, 1.875, 1.875, 1.875, 1.0, 2.0, 2.0, 2.0, 1.0),
    ('shop/it''s – ünïcode', '2026-01-31 23:00:00+00', 1, '2026-01-31 23:00:00+00', '2026-01-31 23:00:00+00', 3371611521, 2.0, 2.0, 2.0, 1.0, NULL, NULL, NULL, 0.0, 2.25, 2.25, 2.25, 1.0, 2.375, 2.375, 2.375, 1.0, 2.5, 2.5, 2.5, 1.0, 2.625, 2.625, 2.625, 1.0, 2.75, 2.75, 2.75, 1.0, 2.875, 2.875, 2.875, 1.0, 3.0, 3.0, 3.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 00:00:00+00', 1, '2026-02-01 00:00:00+00', '2026-02-01 00:00:00+00', 3371611521, 3.0, 3.0, 3.0, 1.0, 3.125, 3.125, 3.125, 1.0, NULL, NULL, NULL, 0.0, 3.375, 3.375, 3.375, 1.0, 3.5, 3.5, 3.5, 1.0, 3.625, 3.625, 3.625, 1.0, 3.75, 3.75, 3.75, 1.0, 3.875, 3.875, 3.875, 1.0, 4.0, 4.0, 4.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 01:00:00+00', 1, '2026-02-01 01:00:00+00', '2026-02-01 01:00:00+00', 3371611521, 4.0, 4.0, 4.0, 1.0, 4.125, 4.125, 4.125, 1.0, 4.25, 4.25, 4.25, 1.0, NULL, NULL, NULL, 0.0, 4.5, 4.5, 4.5, 1.0, 4.625, 4.625, 4.625, 1.0, 4.75, 4.75, 4.75, 1.0, 4.875, 4.875, 4.875, 1.0, 5.0, 5.0, 5.0, 1.0),
    ('shop/it''s – ünïcode', '2026-02-01 02:00:00+00', 1, '2026-02-01 02:00:00+00', '2026-02-01 02:00:00+00', 3371611521, 5.0, 5.0, 5.0, 1.0, 5.125, 5.125, 5.125, 1.0, 5.25, 5.25, 5.25, 1.0, 5.375, 5.375, 5.375, 1.0, NULL, NULL, NULL, 0.0, 5.625, 5.625, 5.625, 1.0, 5.75, 5.75, 5.75, 1.0, 5.875, 5.875, 5.875, 1.0, 6.0, 6.0, 6.0, 1.0);

CREATE TABLE runs(id VARCHAR NOT NULL, notebook VARCHAR NOT NULL, parameters VARCHAR NOT NULL, job VARCHAR NOT NULL, due_at TIMESTAMP WITH TIME ZONE, started_at TIMESTAMP WITH TIME ZONE NOT NULL, seen_at TIMESTAMP WITH TIME ZONE NOT NULL, ended_at TIMESTAMP WITH TIME ZONE, status VARCHAR NOT NULL, failed_cell INTEGER, "error" VARCHAR NOT NULL, folder VARCHAR NOT NULL, process VARCHAR NOT NULL);
INSERT INTO runs VALUES
    ('run-1', 'backfill', '{"days": 1.5}', 'hourly', '2026-01-31 22:00:00+00', '2026-01-31 22:00:00+00', '2026-02-01 03:00:00+00', '2026-02-01 03:00:00+00', 'failed', 3, 'no', 'runs/run-1', 'me:1');

CREATE TABLE schedulers(process VARCHAR NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, seen_at TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO schedulers VALUES
    ('me:1', '2026-01-31 22:00:00+00', '2026-02-01 03:00:00+00');

CREATE TABLE schema_migrations("version" INTEGER NOT NULL, applied_at TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO schema_migrations VALUES
    (1, '2026-11-26 20:32:57.669233+00'),
    (2, '2026-11-26 20:32:57.693494+00'),
    (3, '2026-11-26 20:32:57.790528+00'),
    (4, '2026-11-26 20:32:57.803478+00'),
    (5, '2026-11-26 20:32:57.820627+00'),
    (6, '2026-11-26 20:32:57.833464+00'),
    (7, '2026-11-26 20:32:57.845562+00'),
    (8, '2026-11-26 20:32:57.864972+00'),
    (9, '2026-11-26 20:32:57.872946+00'),
    (10, '2026-11-26 20:32:57.884803+00'),
    (11, '2026-11-26 20:32:57.924917+00');

CREATE TABLE service_metrics(service_name VARCHAR NOT NULL, "timestamp" TIMESTAMP WITH TIME ZONE NOT NULL, service_key UINTEGER, request_rate DOUBLE, error_rate DOUBLE, latency_p50 DOUBLE, latency_p95 DOUBLE, latency_p99 DOUBLE, cpu_usage DOUBLE, memory_usage DOUBLE, restart_count DOUBLE, pod_count DOUBLE);
INSERT INTO service_metrics VALUES
    ('shop/cart', '2026-02-01 00:00:00+00', 3419851480, 2.0, 2.125, NULL, 2.375, 2.5, 2.625, 2.75, 2.875, 3.0),
    ('shop/cart', '2026-02-01 01:00:00+00', 3419851480, 3.0, 3.125, 3.25, NULL, 3.5, 3.625, 3.75, 3.875, 4.0),
    ('shop/cart', '2026-02-01 02:00:00+00', 3419851480, 4.0, 4.125, 4.25, 4.375, NULL, 4.625, 4.75, 4.875, 5.0),
    ('shop/it''s – ünïcode', '2026-02-01 00:00:00+00', 3371611521, 3.0, 3.125, NULL, 3.375, 3.5, 3.625, 3.75, 3.875, 4.0),
    ('shop/it''s – ünïcode', '2026-02-01 01:00:00+00', 3371611521, 4.0, 4.125, 4.25, NULL, 4.5, 4.625, 4.75, 4.875, 5.0),
    ('shop/it''s – ünïcode', '2026-02-01 02:00:00+00', 3371611521, 5.0, 5.125, 5.25, 5.375, NULL, 5.625, 5.75, 5.875, 6.0);

CREATE TABLE services(service_name VARCHAR NOT NULL, "source" VARCHAR NOT NULL, team VARCHAR, tier VARCHAR, objective DOUBLE, latency_target DOUBLE, cpu_limit DOUBLE, memory_limit DOUBLE, desired_pods DOUBLE);
INSERT INTO services VALUES
    ('shop/cart', 'eu', 'buy', '1', 0.999, 0.25, 4.0, 1073741824.0, 3.0),
    ('shop/it''s – ünïcode', 'prometheus', NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE upkeep(task VARCHAR NOT NULL, done_until TIMESTAMP WITH TIME ZONE NOT NULL);
INSERT INTO upkeep VALUES
    ('archive', '2026-02-01 00:00:00+00'),
    ('rollup', '2026-02-01 03:00:00+00'),
    ('tidy', '2026-02-01 00:00:00+00');

CREATE TABLE write_lock(taken BIGINT NOT NULL, revision BIGINT NOT NULL);
INSERT INTO write_lock VALUES
    (22, 10);

COPY (
    SELECT CAST(service_name AS VARCHAR) AS service_name, CAST(timestamp AS TIMESTAMP WITH TIME ZONE) AS timestamp, CAST(request_rate AS DOUBLE) AS request_rate, CAST(error_rate AS DOUBLE) AS error_rate, CAST(latency_p50 AS DOUBLE) AS latency_p50, CAST(latency_p95 AS DOUBLE) AS latency_p95, CAST(latency_p99 AS DOUBLE) AS latency_p99, CAST(cpu_usage AS DOUBLE) AS cpu_usage, CAST(memory_usage AS DOUBLE) AS memory_usage, CAST(restart_count AS DOUBLE) AS restart_count, CAST(pod_count AS DOUBLE) AS pod_count
    FROM (VALUES
        ('shop/cart', '2026-01-31 22:00:00+00', NULL, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0),
        ('shop/cart', '2026-01-31 23:00:00+00', 1.0, NULL, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2.0),
        ('shop/it''s – ünïcode', '2026-01-31 22:00:00+00', NULL, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2.0),
        ('shop/it''s – ünïcode', '2026-01-31 23:00:00+00', 2.0, NULL, 2.25, 2.375, 2.5, 2.625, 2.75, 2.875, 3.0)
    ) AS rows(service_name, timestamp, request_rate, error_rate, latency_p50, latency_p95, latency_p99, cpu_usage, memory_usage, restart_count, pod_count)
) TO 'ARCHIVE/month=2026-01/samples-435bc2ba2a28.parquet' (FORMAT parquet);

CREATE VIEW archived AS SELECT * FROM read_parquet(main.list_value('ARCHIVE/month=2026-01/samples-435bc2ba2a28.parquet'), union_by_name := CAST('t' AS BOOLEAN), hive_partitioning := CAST('f' AS BOOLEAN));

CREATE VIEW samples AS (SELECT service_name, "timestamp", request_rate, error_rate, latency_p50, latency_p95, latency_p99, cpu_usage, memory_usage, restart_count, pod_count, service_key FROM service_metrics) UNION ALL BY NAME (SELECT a.*, CAST((md5_number_lower(a.service_name) >> 32) AS UINTEGER) AS service_key FROM read_parquet(main.list_value('ARCHIVE/month=2026-01/samples-435bc2ba2a28.parquet'), union_by_name := CAST('t' AS BOOLEAN), hive_partitioning := CAST('f' AS BOOLEAN)) AS a ANTI JOIN (SELECT service_name, "timestamp" FROM service_metrics WHERE ("timestamp" < CAST('2026-02-01T00:00:00+00:00' AS TIMESTAMP WITH TIME ZONE))) AS l USING (service_name, "timestamp"));

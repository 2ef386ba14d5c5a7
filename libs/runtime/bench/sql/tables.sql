CREATE TABLE bench_cases (
    lane int, number int, status text, at timestamptz DEFAULT now(), PRIMARY KEY (lane, number)
);
CREATE TABLE bench_effects (event_id uuid PRIMARY KEY, status text);
CREATE TABLE bench_floor_inbox (
    consumer text, event_id uuid, received_at timestamptz DEFAULT now(), PRIMARY KEY (consumer, event_id)
);
CREATE TABLE bench_floor_effects (event_id uuid PRIMARY KEY, status text);

-- For removing by age.
CREATE INDEX history_by_start ON history (started);

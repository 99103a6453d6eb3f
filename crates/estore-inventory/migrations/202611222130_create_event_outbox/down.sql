-- destructive: events of stock that have not been told
DROP TABLE event_outbox;

INSERT INTO texts (texts, rank) VALUES ('hashsize', 16777216);
--> statement-breakpoint
UPDATE messages SET pending = pending | 1 WHERE pending <> 0;

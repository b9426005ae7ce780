INSERT INTO texts (texts) VALUES ('delete-all');
--> statement-breakpoint
DELETE FROM documents;
--> statement-breakpoint
UPDATE messages SET pending = 1 | abs(random() % 2147483646);

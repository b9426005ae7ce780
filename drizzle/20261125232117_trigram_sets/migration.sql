DROP TRIGGER documents_gone;
--> statement-breakpoint
DROP TABLE texts;
--> statement-breakpoint
DELETE FROM documents;
--> statement-breakpoint
UPDATE messages SET pending = 1 + abs(random() % 2147483646);
--> statement-breakpoint
DROP INDEX IF EXISTS `documents_giants`;--> statement-breakpoint
ALTER TABLE `documents` DROP COLUMN `windows`;
--> statement-breakpoint
CREATE VIRTUAL TABLE texts USING fts5(tokens, content='', contentless_delete=1, tokenize='ascii', detail='none');
--> statement-breakpoint
INSERT INTO texts (texts, rank) VALUES ('deletemerge', 0);
--> statement-breakpoint
INSERT INTO texts (texts, rank) VALUES ('automerge', 0);
--> statement-breakpoint
INSERT INTO texts (texts, rank) VALUES ('usermerge', 8);
--> statement-breakpoint
INSERT INTO texts (texts, rank) VALUES ('crisismerge', 64);
--> statement-breakpoint
CREATE TRIGGER documents_gone AFTER DELETE ON documents BEGIN
  DELETE FROM texts WHERE rowid = old.id;
END;

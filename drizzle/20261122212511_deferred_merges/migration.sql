INSERT INTO texts (texts, rank) VALUES ('deletemerge', 0);
--> statement-breakpoint
INSERT INTO texts (texts, rank) VALUES ('automerge', 0);

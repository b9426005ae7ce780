UPDATE sessions SET stamp = NULL WHERE size > 1048576;
--> statement-breakpoint
UPDATE messages SET stamp = NULL WHERE size > 1048576;
--> statement-breakpoint
UPDATE parts SET stamp = NULL WHERE size > 1048576;
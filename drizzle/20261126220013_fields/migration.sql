CREATE TABLE `session_fields` (
	`row` integer NOT NULL,
	`name` text NOT NULL,
	`value` blob NOT NULL,
	`id` text NOT NULL,
	`project` text NOT NULL,
	CONSTRAINT `session_fields_pk` PRIMARY KEY(`row`, `name`),
	CONSTRAINT `fk_session_fields_row_sessions_row_fk` FOREIGN KEY (`row`) REFERENCES `sessions`(`row`) ON DELETE CASCADE
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `sessions` ADD `fields` text;--> statement-breakpoint
CREATE INDEX `session_fields_value` ON `session_fields` (`name`,`value`,`id`);--> statement-breakpoint
CREATE INDEX `session_fields_project` ON `session_fields` (`name`,`project`,`value`,`id`);
--> statement-breakpoint
CREATE TRIGGER session_fields_changed AFTER UPDATE OF fields ON sessions WHEN old.fields IS NOT new.fields BEGIN
  DELETE FROM session_fields WHERE row = new.row;
END;
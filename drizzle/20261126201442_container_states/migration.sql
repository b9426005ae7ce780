CREATE TABLE `container_states` (
	`container` integer PRIMARY KEY,
	`state` text NOT NULL,
	CONSTRAINT `fk_container_states_container_containers_row_fk` FOREIGN KEY (`container`) REFERENCES `containers`(`row`) ON DELETE CASCADE
);
--> statement-breakpoint
ALTER TABLE `containers` DROP COLUMN `state`;
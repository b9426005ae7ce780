-- What they held goes with its column: their containers are read anew when they change.
DELETE FROM `container_states`;
--> statement-breakpoint
CREATE TABLE `state_pieces` (
	`container` integer NOT NULL,
	`at` integer NOT NULL,
	`piece` text NOT NULL,
	CONSTRAINT `state_pieces_pk` PRIMARY KEY(`container`, `at`),
	CONSTRAINT `fk_state_pieces_container_container_states_container_fk` FOREIGN KEY (`container`) REFERENCES `container_states`(`container`) ON DELETE CASCADE
);
--> statement-breakpoint
ALTER TABLE `container_states` DROP COLUMN `state`;
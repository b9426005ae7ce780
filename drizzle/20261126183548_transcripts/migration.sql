CREATE TABLE `container_sessions` (
	`container` integer NOT NULL,
	`id` text NOT NULL,
	`project` text NOT NULL,
	`updated` real NOT NULL,
	CONSTRAINT `container_sessions_pk` PRIMARY KEY(`container`, `id`),
	CONSTRAINT `fk_container_sessions_container_containers_row_fk` FOREIGN KEY (`container`) REFERENCES `containers`(`row`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TABLE `containers` (
	`row` integer PRIMARY KEY AUTOINCREMENT,
	`folder` text NOT NULL,
	`name` text NOT NULL,
	`look` blob,
	`marks` text NOT NULL,
	`sides` text NOT NULL,
	`state` text,
	`format` integer NOT NULL,
	`problems` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `message_places` (
	`directory` integer NOT NULL,
	`id` text NOT NULL,
	`container` integer NOT NULL,
	`place` text NOT NULL,
	`parts` integer,
	CONSTRAINT `message_places_pk` PRIMARY KEY(`directory`, `id`),
	CONSTRAINT `fk_message_places_directory_directories_id_fk` FOREIGN KEY (`directory`) REFERENCES `directories`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `container_sessions_id` ON `container_sessions` (`id`,`updated`);--> statement-breakpoint
CREATE UNIQUE INDEX `containers_place` ON `containers` (`folder`,`name`);--> statement-breakpoint
CREATE INDEX `message_places_id` ON `message_places` (`id`);--> statement-breakpoint
CREATE INDEX `message_places_uncounted` ON `message_places` (`directory`,`id`) WHERE ("message_places"."parts" is null);
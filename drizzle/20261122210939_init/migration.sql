CREATE TABLE `directories` (
	`id` integer PRIMARY KEY AUTOINCREMENT,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`stamp` blob,
	`size` integer DEFAULT 0 NOT NULL,
	`generation` integer DEFAULT 0 NOT NULL,
	`entries` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `documents` (
	`id` integer PRIMARY KEY,
	`message` integer NOT NULL,
	`windows` integer NOT NULL,
	CONSTRAINT `fk_documents_message_messages_row_fk` FOREIGN KEY (`message`) REFERENCES `messages`(`row`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TABLE `messages` (
	`row` integer PRIMARY KEY,
	`directory` integer NOT NULL,
	`id` text NOT NULL,
	`stamp` blob,
	`size` integer NOT NULL,
	`problem` text,
	`problemMessage` text,
	`created` real NOT NULL,
	`role` text,
	`pending` integer NOT NULL,
	CONSTRAINT `fk_messages_directory_directories_id_fk` FOREIGN KEY (`directory`) REFERENCES `directories`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TABLE `parts` (
	`row` integer PRIMARY KEY,
	`directory` integer NOT NULL,
	`id` text NOT NULL,
	`stamp` blob,
	`size` integer NOT NULL,
	`problem` text,
	`problemMessage` text,
	`type` text,
	`tool` text,
	CONSTRAINT `fk_parts_directory_directories_id_fk` FOREIGN KEY (`directory`) REFERENCES `directories`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`row` integer PRIMARY KEY,
	`directory` integer NOT NULL,
	`id` text NOT NULL,
	`stamp` blob,
	`size` integer NOT NULL,
	`problem` text,
	`problemMessage` text,
	`project` text NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL,
	`parent` text,
	`worktree` text,
	`title` text,
	`folded` text,
	`archived` integer NOT NULL,
	`body` text,
	CONSTRAINT `fk_sessions_directory_directories_id_fk` FOREIGN KEY (`directory`) REFERENCES `directories`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `directories_place` ON `directories` (`kind`,`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `documents_message` ON `documents` (`message`);--> statement-breakpoint
CREATE INDEX `documents_giants` ON `documents` (`id`) WHERE "documents"."windows" > 1;--> statement-breakpoint
CREATE UNIQUE INDEX `messages_place` ON `messages` (`directory`,`id`);--> statement-breakpoint
CREATE INDEX `messages_created` ON `messages` (`directory`,`created`,`id`) WHERE ("messages"."problem" is null);--> statement-breakpoint
CREATE INDEX `messages_id` ON `messages` (`id`);--> statement-breakpoint
CREATE INDEX `messages_pending` ON `messages` (`created`,`id`) WHERE "messages"."pending" <> 0;--> statement-breakpoint
CREATE INDEX `messages_problem` ON `messages` (`directory`,`id`) WHERE ("messages"."problem" is not null);--> statement-breakpoint
CREATE UNIQUE INDEX `parts_place` ON `parts` (`directory`,`id`);--> statement-breakpoint
CREATE INDEX `parts_id` ON `parts` (`id`);--> statement-breakpoint
CREATE INDEX `parts_problem` ON `parts` (`directory`,`id`) WHERE ("parts"."problem" is not null);--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_place` ON `sessions` (`directory`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_id` ON `sessions` (`id`,`updated`);--> statement-breakpoint
CREATE INDEX `sessions_updated` ON `sessions` (`updated`,`id`,`project`);--> statement-breakpoint
CREATE INDEX `sessions_created` ON `sessions` (`created`,`id`,`project`);--> statement-breakpoint
CREATE INDEX `sessions_project_updated` ON `sessions` (`project`,`updated`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_project_created` ON `sessions` (`project`,`created`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_parent_updated` ON `sessions` (`parent`,`updated`,`id`,`project`);--> statement-breakpoint
CREATE INDEX `sessions_parent_created` ON `sessions` (`parent`,`created`,`id`,`project`);--> statement-breakpoint
CREATE INDEX `sessions_problem` ON `sessions` (`directory`,`id`) WHERE ("sessions"."problem" is not null);
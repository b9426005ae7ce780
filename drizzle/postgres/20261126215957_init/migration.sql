CREATE SCHEMA IF NOT EXISTS "sessiondex";
--> statement-breakpoint
CREATE SEQUENCE "sessiondex"."changes" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "sessiondex"."forgotten" (
	"session" text collate "C" PRIMARY KEY,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."machine" (
	"id" text collate "C" PRIMARY KEY,
	"name" text NOT NULL,
	"token" text,
	"pushed" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."message" (
	"machine" text collate "C",
	"session" text collate "C",
	"id" text collate "C",
	"created" double precision NOT NULL,
	"role" text collate "C",
	"body" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "message_pkey" PRIMARY KEY("machine","session","id")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."part" (
	"machine" text collate "C",
	"session" text collate "C",
	"message" text collate "C",
	"id" text collate "C",
	"position" integer NOT NULL,
	"type" text collate "C",
	"tool" text collate "C",
	"body" text NOT NULL,
	CONSTRAINT "part_pkey" PRIMARY KEY("machine","session","message","id")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."project" (
	"machine" text collate "C",
	"id" text collate "C",
	"body" text NOT NULL,
	CONSTRAINT "project_pkey" PRIMARY KEY("machine","id")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."removal" (
	"machine" text collate "C",
	"session" text collate "C",
	"sequence" bigint NOT NULL,
	CONSTRAINT "removal_pkey" PRIMARY KEY("machine","session")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."session" (
	"machine" text collate "C",
	"id" text collate "C",
	"source" text collate "C" NOT NULL,
	"place" text NOT NULL,
	"project" text collate "C" NOT NULL,
	"parent" text collate "C",
	"directory" text collate "C",
	"title" text,
	"folded" text,
	"created" double precision NOT NULL,
	"updated" double precision NOT NULL,
	"archived" boolean NOT NULL,
	"body" text NOT NULL,
	"hash" text NOT NULL,
	"sequence" bigint NOT NULL,
	CONSTRAINT "session_pkey" PRIMARY KEY("machine","id")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."side" (
	"machine" text collate "C",
	"session" text collate "C",
	"kind" text collate "C",
	"body" text NOT NULL,
	CONSTRAINT "side_pkey" PRIMARY KEY("machine","session","kind")
);
--> statement-breakpoint
CREATE TABLE "sessiondex"."text" (
	"machine" text collate "C",
	"session" text collate "C",
	"message" text collate "C",
	"piece" integer,
	"whole" boolean NOT NULL,
	"created" double precision NOT NULL,
	"role" text collate "C",
	"folded" text NOT NULL,
	"grams" text[] NOT NULL,
	CONSTRAINT "text_pkey" PRIMARY KEY("machine","session","message","piece")
);
--> statement-breakpoint
CREATE INDEX "message_created" ON "sessiondex"."message" ("machine","session","created","id");--> statement-breakpoint
CREATE INDEX "message_id" ON "sessiondex"."message" ("id");--> statement-breakpoint
CREATE INDEX "part_message" ON "sessiondex"."part" ("message");--> statement-breakpoint
CREATE INDEX "part_id" ON "sessiondex"."part" ("id");--> statement-breakpoint
CREATE INDEX "removal_sequence" ON "sessiondex"."removal" ("sequence");--> statement-breakpoint
CREATE INDEX "session_id" ON "sessiondex"."session" ("id","updated");--> statement-breakpoint
CREATE INDEX "session_updated" ON "sessiondex"."session" ("updated","id");--> statement-breakpoint
CREATE INDEX "session_created" ON "sessiondex"."session" ("created","id");--> statement-breakpoint
CREATE INDEX "session_project" ON "sessiondex"."session" ("project","updated","id");--> statement-breakpoint
CREATE INDEX "session_parent" ON "sessiondex"."session" ("parent","updated","id");--> statement-breakpoint
CREATE INDEX "session_sequence" ON "sessiondex"."session" ("sequence");--> statement-breakpoint
CREATE INDEX "side_session" ON "sessiondex"."side" ("session","kind");--> statement-breakpoint
CREATE INDEX "text_newest" ON "sessiondex"."text" ("created","message","session","machine","piece");--> statement-breakpoint
CREATE INDEX "text_folded" ON "sessiondex"."text" USING gin ("folded" gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "text_grams" ON "sessiondex"."text" USING gin ("grams");--> statement-breakpoint
ALTER TABLE "sessiondex"."message" ADD CONSTRAINT "message_machine_session_session_machine_id_fkey" FOREIGN KEY ("machine","session") REFERENCES "sessiondex"."session"("machine","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."part" ADD CONSTRAINT "part_machine_session_message_message_machine_session_id_fkey" FOREIGN KEY ("machine","session","message") REFERENCES "sessiondex"."message"("machine","session","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."project" ADD CONSTRAINT "project_machine_machine_id_fkey" FOREIGN KEY ("machine") REFERENCES "sessiondex"."machine"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."removal" ADD CONSTRAINT "removal_machine_machine_id_fkey" FOREIGN KEY ("machine") REFERENCES "sessiondex"."machine"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."session" ADD CONSTRAINT "session_machine_machine_id_fkey" FOREIGN KEY ("machine") REFERENCES "sessiondex"."machine"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."side" ADD CONSTRAINT "side_machine_session_session_machine_id_fkey" FOREIGN KEY ("machine","session") REFERENCES "sessiondex"."session"("machine","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessiondex"."text" ADD CONSTRAINT "text_machine_session_message_message_machine_session_id_fkey" FOREIGN KEY ("machine","session","message") REFERENCES "sessiondex"."message"("machine","session","id") ON DELETE CASCADE;
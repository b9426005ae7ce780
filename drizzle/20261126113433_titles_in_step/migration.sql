DROP TRIGGER sessions_title_changed_from;
--> statement-breakpoint
DROP TRIGGER sessions_title_changed_to;
--> statement-breakpoint
CREATE TRIGGER sessions_title_changed AFTER UPDATE OF folded ON sessions WHEN old.folded IS NOT new.folded BEGIN
  INSERT INTO titles (titles, rowid, folded) SELECT 'delete', old.row, old.folded WHERE old.folded IS NOT NULL;
  INSERT INTO titles (rowid, folded) SELECT new.row, new.folded WHERE new.folded IS NOT NULL;
END;
--> statement-breakpoint
INSERT INTO titles (titles) VALUES ('rebuild');
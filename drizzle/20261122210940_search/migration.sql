CREATE VIRTUAL TABLE titles USING fts5(folded, content='sessions', content_rowid='row', tokenize='trigram case_sensitive 1', detail='none', columnsize=0);
--> statement-breakpoint
CREATE TRIGGER sessions_title_added AFTER INSERT ON sessions WHEN new.folded IS NOT NULL BEGIN
  INSERT INTO titles (rowid, folded) VALUES (new.row, new.folded);
END;
--> statement-breakpoint
CREATE TRIGGER sessions_title_gone AFTER DELETE ON sessions WHEN old.folded IS NOT NULL BEGIN
  INSERT INTO titles (titles, rowid, folded) VALUES ('delete', old.row, old.folded);
END;
--> statement-breakpoint
CREATE TRIGGER sessions_title_changed_from AFTER UPDATE OF folded ON sessions WHEN old.folded IS NOT NULL AND old.folded IS NOT new.folded BEGIN
  INSERT INTO titles (titles, rowid, folded) VALUES ('delete', old.row, old.folded);
END;
--> statement-breakpoint
CREATE TRIGGER sessions_title_changed_to AFTER UPDATE OF folded ON sessions WHEN new.folded IS NOT NULL AND old.folded IS NOT new.folded BEGIN
  INSERT INTO titles (rowid, folded) VALUES (new.row, new.folded);
END;
--> statement-breakpoint
CREATE VIRTUAL TABLE texts USING fts5(folded, content='', contentless_delete=1, tokenize='trigram case_sensitive 1', detail='none');
--> statement-breakpoint
CREATE TRIGGER documents_gone AFTER DELETE ON documents BEGIN
  DELETE FROM texts WHERE rowid BETWEEN old.id AND old.id + old.windows - 1;
END;

INSERT INTO texts (texts, rank) VALUES ('deletemerge', 0);

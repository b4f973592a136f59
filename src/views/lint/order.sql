-- All of it, each way once.
SELECT w.severity, w.path, w.object, w.column_name, w.detail, coalesce(w.remedy, '')
  FROM (SELECT * FROM by_right UNION SELECT * FROM by_write UNION SELECT * FROM by_view
        UNION SELECT * FROM by_function UNION SELECT * FROM by_mask UNION SELECT * FROM by_door) w

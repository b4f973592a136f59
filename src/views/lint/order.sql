-- The worst first.
SELECT w.severity, w.path, w.object, w.column_name, w.detail, coalesce(w.remedy, '')
  FROM (SELECT * FROM by_right UNION SELECT * FROM by_code UNION SELECT * FROM by_door) w
 WHERE EXISTS (SELECT FROM masked)
 ORDER BY CASE w.severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, w.path, w.object,
          w.column_name, w.detail, w.remedy

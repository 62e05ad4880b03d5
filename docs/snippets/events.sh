token=$(sed -n 's/^SUPERVISOR_API_TOKEN=//p' .env)
curl --no-buffer -H "Authorization: Bearer $token" http://127.0.0.1:8766/api/supervisor/events

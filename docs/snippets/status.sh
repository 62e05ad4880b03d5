. ./.env
curl http://127.0.0.1:8766/api/supervisor/status -H "Authorization: Bearer $SUPERVISOR_API_TOKEN"

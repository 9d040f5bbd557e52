#include "words.h"

#include <stddef.h>

#include "text.h"

#define ID_MAX 255
#define SIGNAL_MAX 64
#define NAME_ROOM 16

/* In the order of their numbers, the first is 1 (lib/spec/values/signals.ts). */
static const char signals[] = "HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0"
                              "PIPE\0ALRM\0TERM\0STKFLT\0CHLD\0CONT\0STOP\0TSTP\0TTIN\0TTOU\0URG\0"
                              "XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0IO\0PWR\0SYS\0";

static int is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What lib/state/id.ts takes, but for names that begin with a dot. */
int is_id(const char *word) {
  size_t n = length(word);
  if (n == 0 || n > ID_MAX || *word == '.')
    return 0;
  for (; *word; word++)
    if (!is_letter_or_digit(*word) && !(*word == '_' || (*word >= '+' && *word <= '.')))
      return 0;
  return 1;
}

int is_plain_path(const char *word) {
  if (*word != '/')
    return 0;
  for (; *word; word++)
    if ((unsigned char)*word >= 0x7f || *word < ' ')
      return 0;
  return 1;
}

static int signal_named(const char *word) {
  char name[NAME_ROOM];
  const char *known = signals, *rest;
  int number = 1;
  if (length(word) >= sizeof name)
    return NO_SIGNAL;
  put_string(name, word);
  for (char *at = name; *at; at++)
    if (*at >= 'a' && *at <= 'z')
      *at = (char)(*at - 'a' + 'A');
  rest = after(name, "SIG");
  for (; *known; known += length(known) + 1, number++)
    if (is_same(rest ? rest : name, known))
      return number;
  return NO_SIGNAL;
}

static int read_signal(const char *word) {
  const char *at = word;
  int64_t number;
  if (!is_digit(*word))
    return signal_named(word);
  number = take_decimal(&at);
  return *at || length(word) > 3 || number > SIGNAL_MAX ? NO_SIGNAL : (int)number;
}

static int read_verb(struct call *call, const char *word) {
  static const char verbs[] = "state\0kill\0start\0delete\0list\0"; /* enum verb */
  int number = 0;
  for (const char *verb = verbs; *verb; verb += length(verb) + 1, number++)
    if (is_same(word, verb)) {
      call->verb = (enum verb)number;
      return 1;
    }
  return 0;
}

static int take_option(struct call *call, const char *name, const char *value) {
  if (is_same(name, "--log-format"))
    return is_same(value, "json") || is_same(value, "text");
  if (!is_plain_path(value))
    return 0;
  if (is_same(name, "--root"))
    call->root = value;
  else if (is_same(name, "--log"))
    call->log = value;
  else
    return 0;
  return 1;
}

/* Takes an option with its value, which may be the next word; gives how many words it took. */
static int read_option(struct call *call, char **words) {
  char name[NAME_ROOM];
  size_t n = 0;
  const char *word = *words;
  if (is_same(word, "--systemd-cgroup"))
    return 1; /* that of create counts */
  while (word[n] && word[n] != '=' && n < sizeof name - 1) {
    name[n] = word[n];
    n++;
  }
  name[n] = 0;
  if (word[n] == '=')
    return take_option(call, name, word + n + 1);
  return !word[n] && words[1] && take_option(call, name, words[1]) ? 2 : 0;
}

static int take_format(struct call *call, const char *value) {
  call->json = is_same(value, "json");
  return call->json || is_same(value, "table");
}

/* Options of list, and how many words they are; 0 where it is none. */
static int read_list_option(struct call *call, char **words) {
  if (is_same(*words, "--quiet") || is_same(*words, "-q"))
    return call->quiet = 1;
  const char *value = after(*words, "--format=");
  if (value)
    return take_format(call, value);
  if (is_same(*words, "--format") || is_same(*words, "-f"))
    return words[1] && take_format(call, words[1]) ? 2 : 0;
  return 0;
}

/* The same for any verb. */
static int read_own_option(struct call *call, char **words) {
  if (call->verb == VERB_LIST)
    return read_list_option(call, words);
  if (call->verb == VERB_KILL && (is_same(*words, "--all") || is_same(*words, "-a")))
    return call->all = 1;
  if (call->verb == VERB_DELETE && (is_same(*words, "--force") || is_same(*words, "-f")))
    return call->force = 1;
  return 0;
}

static int read_argument(struct call *call, const char *word, int *has_verb) {
  if (!*has_verb)
    return *has_verb = read_verb(call, word);
  if (call->verb == VERB_LIST)
    return 0;
  if (!call->id) {
    call->id = word;
    return is_id(word);
  }
  if (call->verb != VERB_KILL || call->signal != NO_SIGNAL)
    return 0;
  call->signal = read_signal(word);
  return call->signal != NO_SIGNAL;
}

int read_words(struct call *call, char **words) {
  int has_verb = 0;
  *call = (struct call){.signal = NO_SIGNAL};
  while (*words) {
    int taken = **words == '-' && has_verb ? read_own_option(call, words) : 0;
    if (!taken)
      taken = **words == '-' ? read_option(call, words) : read_argument(call, *words, &has_verb);
    if (!taken)
      return 0;
    words += taken;
  }
  return has_verb && (call->id || call->verb == VERB_LIST);
}

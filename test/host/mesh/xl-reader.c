/*
 * Reads configurations with xl's own parser. For each file it prints a line: "refused", or "accepted" and the
 * settings of interest; lists are joined with "|".
 */
#include <libxlutil.h>
#include <stdio.h>

static const char *const keys[] = {
	"name", "vif", "vif2", "extra", "cmdline", "driver_domain", "root",
};

static char data[1 << 20];

static void show(XLU_Config *config, const char *key)
{
	const char *text;
	XLU_ConfigList *list;
	int count;

	if (!xlu_cfg_get_string(config, key, &text, 1)) {
		printf(" %s=%s", key, text);
	} else if (!xlu_cfg_get_list(config, key, &list, &count, 1)) {
		printf(" %s=", key);
		for (int k = 0; k < count; k++) {
			text = xlu_cfg_get_listitem(list, k);
			printf("%s%s", k ? "|" : "", text ? text : "");
		}
	}
}

int main(int argc, char **argv)
{
	FILE *none = fopen("/dev/null", "w");

	for (int k = 1; k < argc; k++) {
		FILE *file = fopen(argv[k], "r");
		size_t length = file ? fread(data, 1, sizeof data, file) : 0;
		XLU_Config *config = xlu_cfg_init(none, argv[k]);

		if (!file || !none || !config)
			return 1;
		if (xlu_cfg_readdata(config, data, (int)length)) {
			printf("refused");
		} else {
			printf("accepted");
			for (size_t at = 0; at < sizeof keys / sizeof *keys; at++)
				show(config, keys[at]);
		}
		putchar('\n');
		fclose(file);
		xlu_cfg_destroy(config);
	}
	return 0;
}

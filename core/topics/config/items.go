package config

// Default is the default text of a declared item; an undeclared key panics.
func Default(key string, fromController bool) string {
	it := find(key)
	if it == nil {
		panic("config: " + key + " is not declared")
	}
	return it.text(fromController)
}

type item struct{ key, def string }

func (i *item) text(bool) string { return i.def }

func find(key string) *item {
	for i := range table {
		if table[i].key == key {
			return &table[i]
		}
	}
	return nil
}

var table = []item{{"timer.config.interval", "60"}}

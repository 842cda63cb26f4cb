package secret

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/evetwin/evetwin/core/eveapi"
)

const (
	store1 = "11111111-0000-4000-8000-000000000001"
	app1   = "22222222-0000-4000-8000-000000000001"
)

// plant puts a text at the end of a way through messages.
func plant(m protoreflect.Message, way []protoreflect.FieldDescriptor, text string) {
	for _, fd := range way[:len(way)-1] {
		switch {
		case fd.IsMap():
			return // maps of texts are harmless, see TestEveryTextOfAConfigurationIsKnown
		case fd.IsList():
			m = m.Mutable(fd).List().AppendMutable().Message()
		default:
			m = m.Mutable(fd).Message()
		}
	}
	fd := way[len(way)-1]
	v := protoreflect.ValueOfString(text)
	if fd.Kind() == protoreflect.BytesKind {
		v = protoreflect.ValueOfBytes([]byte(text))
	}
	if fd.IsList() {
		m.Mutable(fd).List().Append(v)
		return
	}
	m.Set(fd, v)
}

func TestStripTakesSecretsWhereverTheyStand(t *testing.T) {
	ways, taken := 0, 0
	eachText((&config.ConfigResponse{}).ProtoReflect().Descriptor(), nil,
		func(way []protoreflect.FieldDescriptor) {
			ways++
			name := way[len(way)-1].FullName()
			text, want := "planted", "planted"
			switch classes[name] {
			case hidden:
				want = "REF"
			case userData:
				text, want = base64.StdEncoding.EncodeToString([]byte("planted!")), "REF"
			case login:
				text, want = "https://planted:word@host/planted", "https://REF@host/planted"
			}
			msg, left := &config.ConfigResponse{}, &config.ConfigResponse{}
			plant(msg.ProtoReflect(), way, text)
			plant(left.ProtoReflect(), way, want)
			Strip(msg, func(place, value string) string {
				taken++
				if !strings.HasPrefix(place, "config:device:") || !strings.Contains(text, value) {
					t.Errorf("%s: keeps %q of %q", name, value, place)
				}
				return "REF"
			})
			if !proto.Equal(msg, left) {
				t.Errorf("%s: %v is left", name, msg)
			}
		})
	if ways < 250 || taken < len(classes) {
		t.Errorf("only %d ways and %d secrets", ways, taken)
	}
}

func TestPlacesNameTheObjectAndTheField(t *testing.T) {
	msg := &config.EdgeDevConfig{
		Id: &config.UUIDandVersion{Uuid: "33333333-0000-4000-8000-000000000001"}, ProfileServerToken: "p",
		Datastores: []*config.DatastoreConfig{{Id: strings.ToUpper(store1), ApiKey: "a", Password: "b"},
			{Id: "none", Password: "c"}, {Id: store1}},
		Apps: []*config.AppInstanceConfig{{Uuidandversion: &config.UUIDandVersion{Uuid: app1},
			UserData: "%", Fixedresources: &config.VmConfig{VncPasswd: "v"}}},
	}
	var got []string
	Strip(msg, func(place, value string) string {
		got = append(got, place+"="+value)
		return "config:x:y:z"
	})
	const device = "config:33333333-0000-4000-8000-000000000001:"
	want := []string{"config:" + app1 + ":vncpasswd=v", "config:" + app1 + ":userdata=%",
		"config:" + store1 + ":apikey=a", "config:" + store1 + ":password=b", device + "password=c",
		device + "profileservertoken=p"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("keeps %q", got)
	}
	if d := msg.Apps[0].UserData; !Malformed(d) {
		t.Errorf("user data that is no base64 is %q", d)
	}
	if d := msg.Datastores[2]; d.Password != "" || d.ApiKey != "" {
		t.Errorf("empty secrets became %v", d)
	}
}

// Nobody knows whether a field of a newer API is a secret.
func TestStripRemovesUnknownFields(t *testing.T) {
	d := &config.DatastoreConfig{Id: store1}
	d.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 999,
		protowire.BytesType), "planted"))
	msg := &config.EdgeDevConfig{Datastores: []*config.DatastoreConfig{d}}
	Strip(msg, func(string, string) string { return "" })
	b, err := eveapi.Marshal(msg)
	if err != nil || strings.Contains(string(b), "planted") {
		t.Errorf("%v %q", err, b)
	}
}

func TestLoginsInURLs(t *testing.T) {
	for _, c := range [][2]string{
		{"http://u:p@host:8080/a@b", "u:p"}, {"u:p@host", "u:p"}, {"u@host", "u"}, {"host/a@b", ""},
		{"http://host?x=u:p@y", ""},
		{"http://a:b@c@host", "a:b@c"}, {"", ""}, {"@host", ""}, {"http://", ""},
	} {
		from, to, ok := cutLogin(c[0])
		if ok != (c[1] != "") || ok && c[0][from:to] != c[1] {
			t.Errorf("%q: %d..%d %v", c[0], from, to, ok)
		}
	}
}

package report

import (
	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/volume"
)

func volumeMessage(v *info.ZInfoVolume) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiVolume,
		InfoContent: &info.ZInfoMsg_Vinfo{Vinfo: v}}
}

func treeMessage(c *info.ZInfoContentTree) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiContentTree,
		InfoContent: &info.ZInfoMsg_Cinfo{Cinfo: c}}
}

func blobMessage(b *info.ZInfoBlob) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiBlobList,
		InfoContent: &info.ZInfoMsg_Binfo{Binfo: &info.ZInfoBlobList{Blob: []*info.ZInfoBlob{b}}}}
}

// Volume reports a volume.
func Volume(s *volume.VolumeStatus) *info.ZInfoMsg {
	return volumeMessage(&info.ZInfoVolume{
		Uuid: s.VolumeID, DisplayName: s.DisplayName, State: State(s.State),
		ProgressPercentage: uint32(s.Progress), VolumeErr: Error(&s.ErrorDescription),
		GenerationCount: s.GenerationCounter,
		Usage: &info.UsageInfo{CreateTime: stamp(s.CreateTime), RefCount: uint32(s.RefCount),
			LastRefcountChangeTime: stamp(s.LastRefCountChangeTime)},
		Resources: &info.VolumeResources{
			MaxSizeBytes: s.MaxVolSize, CurSizeBytes: uint64(max(s.CurrentSize, 0))},
	})
}

// ContentTree reports a content tree.
func ContentTree(s *content.ContentTreeStatus) *info.ZInfoMsg {
	c := &info.ZInfoContentTree{
		Uuid: s.ContentID, DisplayName: s.DisplayName, Sha256: s.ContentSha256, State: State(s.State),
		ProgressPercentage: uint32(s.Progress), Err: Error(&s.ErrorDescription),
		GenerationCount: s.GenerationCounter, ComponentShaList: s.Blobs,
		Usage:     &info.UsageInfo{CreateTime: stamp(s.CreateTime)},
		Resources: &info.ContentResources{CurSizeBytes: uint64(max(s.CurrentSize, 0))},
	}
	if c.DisplayName == "" {
		c.DisplayName = s.RelativeURL
	}
	return treeMessage(c)
}

// Blob reports a blob that somebody refers to. Of one that nobody does, say Gone.
func Blob(s *content.BlobStatus) *info.ZInfoMsg {
	return blobMessage(&info.ZInfoBlob{
		Sha256: s.Sha256, State: State(s.State), ProgressPercentage: uint32(s.Progress),
		Err: Error(&s.ErrorDescription),
		Usage: &info.UsageInfo{CreateTime: stamp(s.CreateTime),
			RefCount: uint32(s.RefCount)},
		Resources: &info.ContentResources{CurSizeBytes: uint64(max(s.CurrentSize, 0))},
	})
}

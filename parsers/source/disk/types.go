package disk

import (
	"fmt"
	"strings"
)

const basicData = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"

// pools are the partition types that stand for a part of something larger.
var pools = map[string]string{
	"0x42":                                 "ldm",
	"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "ldm",
	"af9b60a0-1431-4f62-bc68-3311714a69ad": "ldm",
	"e75caf8f-f680-4cee-afa3-b001e56efc2d": "storage spaces",
}

// meaning names partition types (UEFI specification, "GPT disk layout";
// Microsoft, PARTITION_INFORMATION_GPT and "Disk partition types").
var meaning = map[string]string{
	"0x01": "FAT12",
	"0x04": "FAT16",
	"0x05": "extended",
	"0x06": "FAT16",
	"0x07": "NTFS or exFAT",
	"0x0b": "FAT32",
	"0x0c": "FAT32",
	"0x0e": "FAT16",
	"0x0f": "extended",
	"0x12": "service",
	"0x17": "hidden NTFS or exFAT",
	"0x27": "Windows recovery",
	"0x42": "Windows dynamic disk",
	"0x82": "Linux swap",
	"0x83": "Linux",
	"0x8e": "Linux LVM",
	"0xee": "GPT protective",
	"0xef": "EFI system",

	"c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
	"e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
	basicData:                              "basic data",
	"de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
	"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "Windows dynamic disk, database",
	"af9b60a0-1431-4f62-bc68-3311714a69ad": "Windows dynamic disk",
	"e75caf8f-f680-4cee-afa3-b001e56efc2d": "Windows storage pool",
	"0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
	"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
	"e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
}

// typed adds the meaning of a type to it.
func typed(t string) string {
	if m := meaning[t]; m != "" {
		return t + " (" + m + ")"
	}
	return t
}

// typeOf returns the type alone.
func typeOf(t string) string {
	t, _, _ = strings.Cut(t, " ")
	return t
}

// guid writes a GUID as Windows does.
func guid(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

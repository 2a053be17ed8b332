// Package buckets links the drivers of object stores into a program of the
// cluster: s3://, gs:// and azblob:// addresses work where it is imported. The
// all-in-one leaves it out, and is smaller by it.
package buckets

import (
	_ "gocloud.dev/blob/azureblob" // registers azblob://
	_ "gocloud.dev/blob/gcsblob"   // registers gs://
	_ "gocloud.dev/blob/s3blob"    // registers s3://
)

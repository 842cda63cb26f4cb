// Package bus carries typed tables from their one publisher to their subscribers.
//
// A topic is a table of immutable rows, each under its key. It is declared once, names the one
// agent or device part that may publish it, and says what its rows outlive (Life). A subscriber
// holds two pointers into the topic's history: what its previous turn saw and what this turn
// sees. Nothing is copied for it, so a table costs the same with one reader or with thirty.
//
// The contract, which both hosts keep:
//
//   - One FIFO per publisher and subscriber. A subscriber sees a prefix of the publisher's turns,
//     each whole or not at all; it may skip steps, never reorder them. Between publishers there
//     is no order.
//   - Rows do not change once put. Every put and delete gets a revision, which grows within the
//     topic, over reboots too. A Status row names the revision of the Config row it answers.
//   - Tables iterate in key order.
//   - A row that equals the one in the table is not put again.
//   - A missing row means nothing until its publisher has declared the table Complete. Only
//     Sub.Gone justifies halting, deleting or collecting anything.
//
// The types Shelf, Head and Cursor are the hosts' side; agents use Topic, Sub and Pub.
package bus

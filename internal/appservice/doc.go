// Package appservice reads the auth.json of App Service authentication: the
// settings of authsettingsV2 as a file, or as Azure Resource Manager shows them
// (contract 4). [Parse] turns the text into a checked tree, and lists all
// mistakes, each with the JSON path of its place and its remedy.
//
// The tree is told member by member: every type lists the members it has in its
// method members, with both spellings where there are two. What is not listed
// there is refused, since a member at the wrong level is what people lose hours
// to; what is listed as refused says why it cannot work here.
//
// No message shows a value of the file. A secret may stand where it does not
// belong, and the message would carry it on into a log.
package appservice

//! Pages and health reports served over https.
